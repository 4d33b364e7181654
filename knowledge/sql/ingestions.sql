-- name: begin
-- a new ingestion; nobody sees it until its input is there
INSERT INTO ingestion (ingestion_id, gem_id, state, by_row, host, input, seconds)
VALUES (%(ingestion_id)s, %(gem_id)s, 'receiving', %(by_row)s, %(host)s, %(input)s, 0);

-- name: add_source
-- one file or body, read after those before it
INSERT INTO ingestion_source (ingestion_id, source, name, format, path)
VALUES (%(ingestion_id)s, %(source)s, %(name)s, %(format)s, %(path)s);

-- name: add_chunk
-- the next piece of a body; also a sign of life of whoever sends it
WITH alive AS (
  UPDATE ingestion SET heartbeat_at = now() WHERE ingestion_id = %(ingestion_id)s
)
INSERT INTO ingestion_chunk (ingestion_id, source, chunk, data)
VALUES (%(ingestion_id)s, %(source)s, %(chunk)s, %(data)s);

-- name: enqueue
-- all of the input is there
UPDATE ingestion SET state = 'queued', input_bytes = %(input_bytes)s, input = %(input)s, heartbeat_at = now()
WHERE ingestion_id = %(ingestion_id)s AND state = 'receiving'
RETURNING *;

-- name: discard
-- its input did not come to an end
DELETE FROM ingestion WHERE ingestion_id = %(ingestion_id)s AND state = 'receiving';

-- name: find
-- one ingestion
SELECT * FROM ingestion WHERE ingestion_id = %(ingestion_id)s AND state <> 'receiving';

-- name: list_page
-- ingestions, newest first, of one state if it is given
SELECT * FROM ingestion
WHERE state <> 'receiving'
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(before_at)s::timestamptz IS NULL OR (created_at, ingestion_id) < (%(before_at)s, %(before_id)s))
ORDER BY created_at DESC, ingestion_id DESC LIMIT %(limit)s;

-- name: list_problems
-- what could not be stored, in the order of reading
SELECT number, name, line, problem FROM ingestion_problem
WHERE ingestion_id = %(ingestion_id)s AND number > %(after)s ORDER BY number LIMIT %(limit)s;

-- name: list_sources
-- what is to be read
SELECT source, name, format, path FROM ingestion_source WHERE ingestion_id = %(ingestion_id)s ORDER BY source;

-- name: get_chunk
-- one piece of a body
SELECT data FROM ingestion_chunk
WHERE ingestion_id = %(ingestion_id)s AND source = %(source)s AND chunk = %(chunk)s;

-- name: claim
-- whoever carries it out from now on; an earlier run that is still alive finds at its next report that it is not its own
UPDATE ingestion
SET state = 'running', run_id = %(run_id)s, attempts = attempts + 1,
  started_at = coalesce(started_at, now()), finished_at = NULL, heartbeat_at = now()
WHERE ingestion_id = %(ingestion_id)s AND state IN ('queued', 'running')
RETURNING *;

-- name: list_failed
-- the rows that could not be stored
SELECT number FROM ingestion_problem WHERE ingestion_id = %(ingestion_id)s;

-- name: start_over
-- what was read has changed since: all is compared again, and what is stored is skipped
WITH told AS (
  DELETE FROM ingestion_problem WHERE ingestion_id = %(ingestion_id)s
)
UPDATE ingestion
SET read = 0, stored = 0, replaced = 0, skipped = 0, failed = 0, passages = 0, fingerprint = '', retrying = false
WHERE ingestion_id = %(ingestion_id)s AND run_id = %(run_id)s;

-- name: report
-- how far a run has come; answers whether it is to stop, and with no row if it is no longer the one
UPDATE ingestion
SET attempts = CASE WHEN (read, failed) = (%(read)s, %(failed)s) THEN attempts ELSE 0 END,
  read = %(read)s, stored = %(stored)s, replaced = %(replaced)s, skipped = %(skipped)s, failed = %(failed)s,
  passages = %(passages)s, seconds = %(seconds)s, total = %(total)s, fingerprint = %(fingerprint)s,
  error = NULL, error_code = NULL, heartbeat_at = clock_timestamp()
WHERE ingestion_id = %(ingestion_id)s AND run_id = %(run_id)s AND state = 'running'
RETURNING cancelling;

-- name: forget_problems
-- rows that are stored now
DELETE FROM ingestion_problem WHERE ingestion_id = %(ingestion_id)s AND number = ANY(%(numbers)s);

-- name: count_problems
-- how many are kept
SELECT count(*) AS kept FROM ingestion_problem WHERE ingestion_id = %(ingestion_id)s;

-- name: put_problem
-- a row that could not be stored, and why
INSERT INTO ingestion_problem (ingestion_id, number, name, line, problem)
VALUES (%(ingestion_id)s, %(number)s, %(name)s, %(line)s, %(problem)s)
ON CONFLICT (tenant_id, ingestion_id, number) DO UPDATE
SET name = excluded.name, line = excluded.line, problem = excluded.problem;

-- name: end_run
-- the state in which a run leaves it
UPDATE ingestion
SET state = %(state)s, error_code = %(error_code)s, error = %(error)s, run_id = NULL, heartbeat_at = clock_timestamp(),
  retrying = retrying AND %(state)s <> 'done', cancelling = false,
  finished_at = CASE WHEN %(state)s = 'queued' THEN NULL ELSE clock_timestamp() END
WHERE ingestion_id = %(ingestion_id)s AND run_id = %(run_id)s AND state = 'running'
RETURNING *;

-- name: drop_chunks
-- a body that nobody needs again
DELETE FROM ingestion_chunk WHERE ingestion_id = %(ingestion_id)s;

-- name: cancel
-- at once where nobody works on it, else as soon as the run reports
UPDATE ingestion
SET cancelling = is_alive, state = CASE WHEN is_alive THEN 'running' ELSE 'cancelled' END,
  run_id = CASE WHEN is_alive THEN run_id END, finished_at = CASE WHEN is_alive THEN NULL ELSE now() END
FROM (
  SELECT tenant_id, ingestion_id,
    state = 'running' AND heartbeat_at > now() - make_interval(secs => %(stalled_s)s) AS is_alive
  FROM ingestion WHERE ingestion_id = %(ingestion_id)s AND state IN ('queued', 'running') FOR UPDATE
) AS found
WHERE ingestion.tenant_id = found.tenant_id AND ingestion.ingestion_id = found.ingestion_id
RETURNING ingestion.*;

-- name: requeue
-- once more from where it stands; `retrying` takes up the rows that failed before
UPDATE ingestion
SET state = 'queued', retrying = retrying OR %(retrying)s, cancelling = false, attempts = 0, error = NULL,
  error_code = NULL, finished_at = NULL, heartbeat_at = now()
WHERE ingestion_id = %(ingestion_id)s AND state = ANY(%(from)s)
  AND EXISTS (SELECT FROM ingestion_source AS s WHERE s.ingestion_id = ingestion.ingestion_id)
RETURNING *;

-- name: settle_abandoned
-- the processes that carried these out are gone, and no worker can do it in their place
UPDATE ingestion
SET state = CASE WHEN cancelling THEN 'cancelled' ELSE 'failed' END, cancelling = false, run_id = NULL,
  finished_at = now(), error_code = CASE WHEN cancelling THEN NULL ELSE 'interrupted' END,
  error = CASE WHEN cancelling THEN NULL ELSE 'the process that carried it out has ended' END
WHERE host IS NOT NULL AND state IN ('queued', 'running')
  AND heartbeat_at < now() - make_interval(secs => %(stalled_s)s);

-- name: list_without_job
-- ingestions that wait for a worker but that no job stands for
SELECT ingestion_id, gem_id FROM ingestion AS i
WHERE host IS NULL AND state IN ('queued', 'running')
  AND heartbeat_at < now() - make_interval(secs => %(stalled_s)s)
  AND NOT EXISTS (
    SELECT FROM lattice_jobs.procrastinate_jobs AS j
    WHERE j.status IN ('todo', 'doing') AND j.args ->> 'ingestion' = i.ingestion_id::text)
FOR UPDATE OF i SKIP LOCKED;

-- name: touch
-- has a job again
UPDATE ingestion SET heartbeat_at = now() WHERE ingestion_id = ANY(%(ingestion_ids)s);

-- name: forget_received
-- input that stopped coming
DELETE FROM ingestion WHERE state = 'receiving' AND heartbeat_at < now() - interval '15 minutes';

-- name: forget_sources
-- after this long nobody resumes or retries; the counts and problems stay
WITH old AS (
  SELECT ingestion_id FROM ingestion
  WHERE state IN ('done', 'failed', 'cancelled') AND finished_at < now() - make_interval(days => %(kept_days)s)
), chunks AS (
  DELETE FROM ingestion_chunk AS c USING old WHERE c.ingestion_id = old.ingestion_id
)
DELETE FROM ingestion_source AS s USING old WHERE s.ingestion_id = old.ingestion_id;

-- name: measure_backlog
-- how many are being carried out, how many wait, and for how long the one that has waited longest
SELECT count(*) FILTER (WHERE state = 'running') AS running, count(*) FILTER (WHERE state = 'queued') AS waiting,
  coalesce(date_part('epoch', now() - min(heartbeat_at) FILTER (WHERE state = 'queued')), 0) AS lag_s
FROM ingestion WHERE state IN ('queued', 'running');
