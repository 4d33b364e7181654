-- name: list_rules
-- rules of users, and what they changed of built-in ones
SELECT name, metric, op, threshold, clear_threshold, for_s, severity, enabled, gem_id, description
FROM alert_rule ORDER BY name;

-- name: put_rule
-- a rule as it is from now on; no row if there are too many already
INSERT INTO alert_rule (name, metric, op, threshold, clear_threshold, for_s, severity, enabled, gem_id, description,
  updated_at)
SELECT %(name)s, %(metric)s, %(op)s, %(threshold)s, %(clear_threshold)s, %(for_s)s, %(severity)s, %(enabled)s,
  %(gem_id)s, %(description)s, %(now)s
WHERE (SELECT count(*) FROM alert_rule WHERE name <> %(name)s) < %(most)s
ON CONFLICT (tenant_id, name) DO UPDATE SET metric = excluded.metric, op = excluded.op,
  threshold = excluded.threshold, clear_threshold = excluded.clear_threshold, for_s = excluded.for_s,
  severity = excluded.severity, enabled = excluded.enabled, gem_id = excluded.gem_id,
  description = excluded.description, updated_at = excluded.updated_at
RETURNING name;

-- name: delete_rule
-- a rule of users, or what they changed of a built-in one
DELETE FROM alert_rule WHERE name = %(name)s RETURNING name;

-- name: list_faint_gems
-- gems with a coherence below a threshold, those that are watched already whatever theirs is; the faintest first
SELECT gem_id, name, coherence FROM (
  SELECT g.gem_id, g.name, e.coherence, g.gem_id = ANY(%(watched)s::uuid[]) AS is_watched
  FROM gem AS g, lattice_evolve(g.energy, g.phase, g.coherence, g.uncertainty,
    greatest(0, date_part('epoch', %(now)s - g.measured_at) / %(tau_s)s::float8)) AS e
  WHERE g.archived_at IS NULL AND (%(gem_id)s::uuid IS NULL OR g.gem_id = %(gem_id)s::uuid)) AS evolved
WHERE is_watched OR coherence < %(below)s
ORDER BY is_watched DESC, coherence, gem_id LIMIT %(limit)s;

-- name: list_open
-- what is firing
SELECT rule, subject FROM alert WHERE resolved_at IS NULL;

-- name: fire
-- a new alert, or where another process was quicker, a sign that this one sees it too
INSERT INTO alert AS a (alert_id, rule, subject, subject_name, metric, op, threshold, clear_threshold, severity,
  description, value, seen_by, fired_at, changed_at)
VALUES (%(alert_id)s, %(rule)s, %(subject)s, %(subject_name)s, %(metric)s, %(op)s, %(threshold)s,
  %(clear_threshold)s, %(severity)s, %(description)s, %(value)s, jsonb_build_object(%(process)s::text, %(now)s),
  %(now)s, %(now)s)
ON CONFLICT (tenant_id, rule, subject) WHERE resolved_at IS NULL
DO UPDATE SET value = excluded.value, seen_by = a.seen_by || excluded.seen_by;

-- name: hold
-- values as they are now, of alerts that this process sees to be not over yet
UPDATE alert AS a SET value = seen.value, subject_name = seen.name,
  seen_by = a.seen_by || jsonb_build_object(%(process)s::text, %(now)s)
FROM unnest(%(rules)s::text[], %(subjects)s::text[], %(names)s::text[], %(values)s::float8[])
  AS seen (rule, subject, name, value)
WHERE a.rule = seen.rule AND a.subject = seen.subject AND a.resolved_at IS NULL;

-- name: resolve
-- alerts that are over for this process, of which it says so: resolved, unless another one has seen of late that they
-- are not
UPDATE alert AS a SET value = coalesce(seen.value, a.value), seen_by = a.seen_by - %(process)s::text,
  (resolved_at, changed_at) = (
    SELECT CASE WHEN is_over THEN %(now)s END, CASE WHEN is_over THEN %(now)s ELSE a.changed_at END
    FROM (SELECT NOT EXISTS (
      SELECT FROM jsonb_each_text(a.seen_by - %(process)s::text) AS other
      WHERE other.value::timestamptz > %(now)s - make_interval(secs => %(grace_s)s)) AS is_over) AS all_processes)
FROM unnest(%(rules)s::text[], %(subjects)s::text[], %(values)s::float8[]) AS seen (rule, subject, value)
WHERE a.rule = seen.rule AND a.subject = seen.subject AND a.resolved_at IS NULL
RETURNING a.*, false AS silenced;

-- name: notify
-- open alerts that nobody was told of yet, unless they are silenced: from now on they count as told
UPDATE alert AS a SET notified_at = %(now)s
WHERE a.resolved_at IS NULL AND a.notified_at IS NULL AND NOT EXISTS (
  SELECT FROM alert_silence AS s
  WHERE s.ends_at > %(now)s AND (s.rule IS NULL OR s.rule = a.rule) AND (s.subject IS NULL OR s.subject = a.subject))
RETURNING a.*, false AS silenced;

-- name: acknowledge
-- somebody looks after an open alert
UPDATE alert AS a SET acknowledged_at = coalesce(a.acknowledged_at, %(now)s), acknowledgement = %(note)s,
  changed_at = %(now)s
WHERE a.alert_id = %(alert_id)s AND a.resolved_at IS NULL
RETURNING a.*, false AS silenced;

-- name: get_alert
-- one alert
SELECT a.*, EXISTS (
  SELECT FROM alert_silence AS s
  WHERE s.ends_at > %(now)s AND (s.rule IS NULL OR s.rule = a.rule) AND (s.subject IS NULL OR s.subject = a.subject)
) AS silenced
FROM alert AS a WHERE a.alert_id = %(alert_id)s;

-- name: list_alerts
-- a page of alerts, those that fired last first
SELECT a.*, EXISTS (
  SELECT FROM alert_silence AS s
  WHERE s.ends_at > %(now)s AND (s.rule IS NULL OR s.rule = a.rule) AND (s.subject IS NULL OR s.subject = a.subject)
) AS silenced
FROM alert AS a
WHERE (%(firing)s::boolean IS NULL OR (a.resolved_at IS NULL) = %(firing)s)
  AND (%(before_at)s::timestamptz IS NULL
       OR (a.fired_at, a.alert_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY a.fired_at DESC, a.alert_id DESC LIMIT %(limit)s;

-- name: list_changed
-- alerts that began, were acknowledged or ended from a moment on, in that order
SELECT a.*, EXISTS (
  SELECT FROM alert_silence AS s
  WHERE s.ends_at > %(now)s AND (s.rule IS NULL OR s.rule = a.rule) AND (s.subject IS NULL OR s.subject = a.subject)
) AS silenced
FROM alert AS a WHERE a.changed_at >= %(since)s ORDER BY a.changed_at, a.alert_id LIMIT %(limit)s;

-- name: count_firing
-- open alerts by severity
SELECT severity, count(*) AS firing FROM alert WHERE resolved_at IS NULL GROUP BY severity;

-- name: add_silence
-- a silence; no row if there are too many already
INSERT INTO alert_silence (silence_id, rule, subject, note, created_at, ends_at)
SELECT %(silence_id)s, %(rule)s, %(subject)s, %(note)s, %(now)s, %(ends_at)s
WHERE (SELECT count(*) FROM alert_silence WHERE ends_at > %(now)s) < %(most)s
RETURNING silence_id, rule, subject, note, created_at, ends_at;

-- name: list_silences
-- silences that are not over, those that end first at the head
SELECT silence_id, rule, subject, note, created_at, ends_at FROM alert_silence
WHERE ends_at > %(now)s ORDER BY ends_at, silence_id;

-- name: end_silence
-- a silence is over
DELETE FROM alert_silence WHERE silence_id = %(silence_id)s AND ends_at > %(now)s RETURNING silence_id;

-- name: forget_alerts
-- alerts that ended long ago
DELETE FROM alert WHERE resolved_at < %(now)s - make_interval(days => %(kept_days)s);

-- name: forget_silences
-- silences that ended long ago
DELETE FROM alert_silence WHERE ends_at < %(now)s - make_interval(days => %(kept_days)s);
