-- name: see_queue
-- lets the rest of the transaction find the queue's own tables, types and functions beside ours
SELECT set_config('search_path', current_setting('search_path') || ', lattice_jobs', true);

-- name: configure_queue
-- all that a connection of the queue needs: the service's role, and the schema of the queue
SELECT set_config('role', %(role)s, false),
  set_config('search_path', 'lattice_jobs', false),
  set_config('statement_timeout', '30s', false),
  set_config('idle_in_transaction_session_timeout', '60s', false);

-- name: free_jobs
-- gives back jobs that nobody works on: those of workers without a sign of life, and those of this worker that it has
-- lost; checked again under each row's lock, so that of two that look at once only one gives back
SELECT job.id, job.task_name, lattice_jobs.procrastinate_retry_job_v2(job.id, now(), NULL, NULL, NULL) AS freed
FROM (
  SELECT j.id, j.task_name
  FROM lattice_jobs.procrastinate_jobs AS j
  WHERE j.status = 'doing' AND (
    j.worker_id IS NULL
    OR j.id = ANY(%(lost)s)
    OR EXISTS (
      SELECT FROM lattice_jobs.procrastinate_workers AS w
      WHERE w.id = j.worker_id AND w.last_heartbeat < now() - make_interval(secs => %(stalled_s)s)))
  FOR UPDATE OF j SKIP LOCKED
) AS job;

-- name: list_own
-- jobs that this worker has taken, whether or not it knows
SELECT id FROM lattice_jobs.procrastinate_jobs WHERE status = 'doing' AND worker_id = %(worker_id)s;

-- name: forget_workers
-- workers without a sign of life; what they had taken is free already
DELETE FROM lattice_jobs.procrastinate_workers WHERE last_heartbeat < now() - make_interval(secs => %(stalled_s)s);

-- name: forget_jobs
-- jobs that ended long ago
DELETE FROM lattice_jobs.procrastinate_jobs AS j
WHERE j.status NOT IN ('todo', 'doing') AND NOT EXISTS (
  SELECT FROM lattice_jobs.procrastinate_events AS e WHERE e.job_id = j.id AND e.at > now() - make_interval(days => 7));

-- name: list_tenants
-- whose jobs the queue knows
SELECT DISTINCT args ->> 'tenant' AS tenant FROM lattice_jobs.procrastinate_jobs WHERE args ? 'tenant';

-- name: count_open
-- jobs that wait or are being carried out
SELECT count(*) AS open FROM lattice_jobs.procrastinate_jobs WHERE status IN ('todo', 'doing');

-- name: list_open_jobs
-- open jobs of this transaction's tenant by kind, and for how long the oldest that is due has waited
SELECT j.task_name AS kind,
  count(*) FILTER (WHERE j.status = 'todo') AS waiting,
  count(*) FILTER (WHERE j.status = 'doing') AS running,
  coalesce(extract(epoch FROM max(now() - coalesce(j.scheduled_at, d.at)) FILTER (WHERE j.status = 'todo'
    AND coalesce(j.scheduled_at, d.at) <= now()))::float8, 0) AS oldest_s
FROM lattice_jobs.procrastinate_jobs AS j
CROSS JOIN LATERAL (
  SELECT min(e.at) AS at FROM lattice_jobs.procrastinate_events AS e WHERE e.job_id = j.id AND j.status = 'todo') AS d
WHERE j.status IN ('todo', 'doing') AND j.args ->> 'tenant' = current_setting('lattice.tenant')
GROUP BY j.task_name ORDER BY j.task_name;
