-- name: plan_use
-- what a use of some gems would change: them and their partners, but for archived ones
SELECT g.gem_id, g.name, g.energy AS old_energy, g.phase AS old_phase, g.coherence AS old_coherence,
  g.uncertainty AS old_uncertainty, g.measured_at AS old_measured_at, r.gain, r.via_gem_id
FROM lattice_reach(%(gem_ids)s::uuid[], %(gains)s::float8[]) AS r JOIN gem g ON g.gem_id = r.gem_id
WHERE g.archived_at IS NULL ORDER BY g.gem_id;

-- name: use_gems
-- the same, done: each row is evolved to now as it is locked, in the order of ids, measured, and logged
WITH locked AS (
  SELECT g.tenant_id, g.gem_id, g.energy, g.phase, g.coherence, g.uncertainty, g.measured_at, r.gain, r.via_gem_id
  FROM lattice_reach(%(gem_ids)s::uuid[], %(gains)s::float8[]) AS r JOIN gem g ON g.gem_id = r.gem_id
  WHERE g.archived_at IS NULL ORDER BY g.gem_id FOR NO KEY UPDATE OF g),
measured AS (
  UPDATE gem g SET (energy, phase, coherence, uncertainty) = (
      SELECT m.energy, m.phase, m.coherence, m.uncertainty
      FROM lattice_measure(l.energy, l.phase, l.coherence, l.uncertainty,
                           greatest(0, extract(epoch FROM %(now)s - l.measured_at)::float8 / %(tau_s)s), l.gain) AS m),
    measured_at = greatest(l.measured_at, %(now)s)
  FROM locked l WHERE g.tenant_id = l.tenant_id AND g.gem_id = l.gem_id
  RETURNING g.gem_id, g.name, g.energy, g.phase, g.coherence, g.uncertainty, g.measured_at, l.gain, l.via_gem_id, l.energy AS old_energy, l.phase AS old_phase, l.coherence AS old_coherence,
    l.uncertainty AS old_uncertainty, l.measured_at AS old_measured_at),
logged AS (
  INSERT INTO measurement (gem_id, reflection_id, via_gem_id, cause, gain, tau_s, energy, phase, coherence, uncertainty,
    measured_at)
  SELECT gem_id, %(reflection_id)s, via_gem_id, CASE WHEN via_gem_id IS NULL THEN %(cause)s ELSE 'entanglement' END, gain,
    %(tau_s)s, energy, phase, coherence, uncertainty, measured_at FROM measured ORDER BY gem_id)
SELECT * FROM measured ORDER BY gem_id;

-- name: set_entanglement
-- a pair and its strength, new or changed
INSERT INTO entanglement (gem_id, other_id, strength, created_at, updated_at)
VALUES (%(gem_id)s, %(other_id)s, %(strength)s, %(now)s, %(now)s)
ON CONFLICT (tenant_id, gem_id, other_id) DO UPDATE SET strength = excluded.strength, updated_at = excluded.updated_at
RETURNING gem_id, other_id, strength, created_at, updated_at;

-- name: list_entanglements
-- the pairs of these gems, or of all, strongest first
SELECT gem_id, other_id, strength, created_at, updated_at FROM entanglement
WHERE %(gem_ids)s::uuid[] IS NULL OR gem_id = ANY(%(gem_ids)s::uuid[]) OR other_id = ANY(%(gem_ids)s::uuid[])
ORDER BY strength DESC, gem_id, other_id LIMIT %(limit)s;

-- name: count_entanglements
-- how many pairs are among these gems, or in the lattice, and how many lead out of them
SELECT
  count(*) FILTER (WHERE %(gem_ids)s::uuid[] IS NULL
    OR gem_id = ANY(%(gem_ids)s::uuid[]) AND other_id = ANY(%(gem_ids)s::uuid[])) AS among,
  count(*) FILTER (WHERE NOT (gem_id = ANY(%(gem_ids)s::uuid[]) AND other_id = ANY(%(gem_ids)s::uuid[]))) AS leading_out
FROM entanglement
WHERE %(gem_ids)s::uuid[] IS NULL OR gem_id = ANY(%(gem_ids)s::uuid[]) OR other_id = ANY(%(gem_ids)s::uuid[]);

-- name: add_entanglement
-- a pair as it was
INSERT INTO entanglement (gem_id, other_id, strength, created_at, updated_at)
VALUES (%(gem_id)s, %(other_id)s, %(strength)s, %(created_at)s, %(updated_at)s);

-- name: delete_entanglement
-- a pair is no more
DELETE FROM entanglement WHERE gem_id = %(gem_id)s AND other_id = %(other_id)s RETURNING gem_id;

-- name: replay_log
-- every step of the log of a gem and its passages, or of the whole lattice, made again from the one before it: the
-- first from the state of what is new, one that set a state from nothing. What differs in a single bit is told, and what
-- a row holds now against the last step of its log
WITH subject AS (
  SELECT g.gem_id, NULL::uuid AS passage_id, g.created_at, g.measured_at, g.energy, g.phase, g.coherence, g.uncertainty
  FROM gem g WHERE %(gem_id)s::uuid IS NULL OR g.gem_id = %(gem_id)s
  UNION ALL
  SELECT p.gem_id, p.passage_id, p.created_at, p.measured_at, p.energy, p.phase, p.coherence, p.uncertainty
  FROM passage p WHERE %(gem_id)s::uuid IS NULL OR p.gem_id = %(gem_id)s),
logged AS (
  SELECT m.measurement_id, coalesce(m.passage_id, m.gem_id) AS id, m.cause, m.gain, coalesce(m.tau_s, %(tau_s)s) AS tau_s,
    m.measured_at, coalesce(m.state_at, m.measured_at) AS state_at, m.energy, m.phase, m.coherence, m.uncertainty,
    lag(m.energy) OVER step AS from_energy, lag(m.phase) OVER step AS from_phase,
    lag(m.coherence) OVER step AS from_coherence, lag(m.uncertainty) OVER step AS from_uncertainty,
    lag(coalesce(m.state_at, m.measured_at)) OVER step AS from_at,
    lead(m.measurement_id) OVER step IS NULL AS is_last
  FROM measurement m WHERE %(gem_id)s::uuid IS NULL OR m.gem_id = %(gem_id)s
  WINDOW step AS (PARTITION BY coalesce(m.passage_id, m.gem_id) ORDER BY m.measurement_id)),
step AS (
  SELECT s.gem_id, s.passage_id, l.measurement_id, l.cause, l.is_last,
    (l.energy, l.phase, l.coherence, l.uncertainty) AS told,
    CASE WHEN l.cause IN ('ingest', 'restore') THEN (l.energy, l.phase, l.coherence, l.uncertainty)
      ELSE (SELECT (m.energy, m.phase, m.coherence, m.uncertainty) FROM lattice_measure(
        coalesce(l.from_energy, 1), coalesce(l.from_phase, 0), coalesce(l.from_coherence, 1),
        coalesce(l.from_uncertainty, 0.1),
        greatest(0, extract(epoch FROM l.measured_at - coalesce(l.from_at, s.created_at))::float8 / l.tau_s), l.gain) AS m)
    END AS made,
    (s.energy, s.phase, s.coherence, s.uncertainty, s.measured_at) AS held,
    (l.energy, l.phase, l.coherence, l.uncertainty, l.state_at) AS left_behind
  FROM logged l JOIN subject s ON coalesce(s.passage_id, s.gem_id) = l.id),
fault AS (
  SELECT gem_id, passage_id, measurement_id, cause, 'step' AS kind FROM step WHERE told IS DISTINCT FROM made
  UNION ALL
  SELECT gem_id, passage_id, measurement_id, cause, 'state' FROM step WHERE is_last AND held IS DISTINCT FROM left_behind
  UNION ALL
  SELECT s.gem_id, s.passage_id, NULL, NULL, 'unlogged' FROM subject s
  WHERE (s.energy, s.phase, s.coherence, s.uncertainty, s.measured_at)
      IS DISTINCT FROM (1::float8, 0::float8, 1::float8, 0.1::float8, s.created_at)
    AND NOT EXISTS (SELECT FROM logged l WHERE l.id = coalesce(s.passage_id, s.gem_id)))
SELECT (SELECT count(*) FROM subject) AS subjects, (SELECT count(*) FROM step) AS steps,
  (SELECT count(*) FROM fault) AS faults,
  coalesce((SELECT jsonb_agg(to_jsonb(f) ORDER BY f.gem_id, f.passage_id, f.measurement_id)
    FROM (SELECT * FROM fault ORDER BY gem_id, passage_id, measurement_id LIMIT %(limit)s) AS f), '[]') AS shown;
