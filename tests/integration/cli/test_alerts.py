"""Alerts as operators have them: rules, silences, webhooks, and what a service found."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import httpx2
import psycopg
import pytest

from core.pg import DEFAULT_TENANT
from tests.integration.cli.process import Lattice

ALERT = """
INSERT INTO alert (tenant_id, alert_id, rule, subject, subject_name, metric, op, threshold, clear_threshold, severity,
  description, value, fired_at, changed_at)
VALUES (%s, %s, 'errors', '', 'the lattice', 'error_rate', 'above', 0.05, 0.02, 'critical', 'Requests fail.', 0.5,
  now(), now())
"""


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook"
        server.shutdown()


def test_rules_are_made_changed_and_deleted(lattice: Lattice) -> None:
    assert lattice("gems", "create", "harbour").code == 0
    made = lattice(
        *("alerts", "rules", "set", "harbour", "--metric", "gem_coherence", "--op", "below"),
        *("--threshold", "0.3", "--clear", "0.4", "--for", "5m", "--gem", "harbour", "--json"),
    )
    assert made.code == 0, made.err
    (rule,) = made.json
    assert (rule["threshold"], rule["clear_threshold"], rule["for_s"]) == (0.3, 0.4, 300)
    assert rule["gem_id"] is not None
    (changed,) = lattice("alerts", "rules", "set", "errors", "--disabled", "--json").json
    assert (changed["enabled"], changed["metric"], changed["threshold"]) == (False, "error_rate", 0.05)
    shown = lattice("alerts", "rules", "list").out
    assert "gem_coherence < 0.3" in shown
    assert "disabled" in shown
    assert "as it came" in lattice("alerts", "rules", "delete", "errors").err
    assert lattice("alerts", "rules", "delete", "errors", "--json").error["code"] == "alert_rule_not_found"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("new", "--op", "above", "--threshold", "1"), 2),
        (("errors", "--for", "soon"), 2),
        (("errors", "--clear", "0.9"), 3),
        (("errors", "--gem", "nobody"), 4),
    ],
)
def test_a_rule_that_cannot_be_is_refused(lattice: Lattice, arguments: tuple[str, ...], code: int) -> None:
    assert lattice("alerts", "rules", "set", *arguments).code == code


def test_alerts_are_listed_acknowledged_and_silenced(lattice: Lattice, database_url: str) -> None:
    alert_id = str(uuid4())
    with psycopg.connect(database_url) as conn:
        conn.execute(ALERT, (DEFAULT_TENANT, alert_id))
    assert "errors" in lattice("alerts", "list").out
    silence = lattice("alerts", "silence", "--for", "2h", "--rule", "errors", "--note", "known", "--json").json
    acknowledged = lattice("alerts", "ack", alert_id, "--note", "on it")
    assert "acknowledged, silenced" in acknowledged.out
    assert "on it" in acknowledged.out
    assert "known" in lattice("alerts", "silences").out
    assert lattice("alerts", "unsilence", silence["id"]).code == 0
    assert lattice("alerts", "unsilence", silence["id"], "--json").error["code"] == "silence_not_found"
    assert lattice("alerts", "show", alert_id, "--json").json["silenced"] is False
    assert lattice("alerts", "list", "--state", "resolved").out == "no such alerts\n"


def test_webhooks_are_added_tested_and_deleted(lattice: Lattice, hook: str) -> None:
    assert lattice("alerts", "webhooks", "add", hook).code == 3
    allowed = Lattice({**lattice.settings, "LATTICE_ALERTS__ALLOW_PRIVATE_WEBHOOKS": "true"})
    made = allowed("alerts", "webhooks", "add", hook, "--least", "critical", "--json").json
    assert made["secret"].startswith("whsec_")
    tested = allowed("alerts", "webhooks", "test", made["id"], "--json")
    assert (tested.code, tested.json["delivered"]) == (0, True)
    assert lattice("alerts", "webhooks", "test", made["id"]).code == 1  # where private addresses are not allowed
    assert hook in allowed("alerts", "webhooks", "list").out.replace("\n", "")
    assert allowed("alerts", "webhooks", "delete", made["id"]).code == 2  # nobody can be asked
    assert allowed("alerts", "webhooks", "delete", made["id"], "--yes").code == 0


def test_a_service_that_is_watched_ends_when_it_is_told_to(lattice: Lattice) -> None:
    process = lattice.start("serve", "--port", "0")
    assert process.stderr is not None
    with process:
        address = next(line for line in process.stderr if "serves http" in line).split("serves ")[1].split()[0]
        with httpx2.stream("GET", f"{address}/api/v1/lattice/stream", timeout=60) as stream:
            lines = stream.iter_lines()
            assert next(line for line in lines if line.startswith("event: ")) == "event: snapshot"
            process.terminate()
            assert list(lines)[-1] == ""  # the answer comes to its end
        assert process.wait(60) == 0
        process.stderr.read()
