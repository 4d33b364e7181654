"""A gate in the way of an ingestion: it can be ended in its middle, however fast or slow the machine is."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

LOCK = 7301
FUNCTION = b"""
CREATE OR REPLACE FUNCTION stop_at_gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7301);
  RETURN NEW;
END $$
"""
TRIGGER = b"""
CREATE OR REPLACE TRIGGER gate BEFORE INSERT ON document
FOR EACH ROW WHEN (%s IN (NEW.external_id, NEW.body)) EXECUTE FUNCTION stop_at_gate()
"""


@contextmanager
def closed_gate(url: str, document: str) -> Iterator[None]:
    """Let no batch be stored from the one on that holds the document of this id or text, until the gate is opened."""
    with closing(psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor)) as conn:
        conn.execute(FUNCTION)
        conn.execute(TRIGGER, [document])
        conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield
