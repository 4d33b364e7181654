-- name: read_field
-- what the gems of the lattice are like together, archived ones left out, each evolved to the moment asked for: in one
-- pass, which leaves one row for each cell of the two histograms together, its key c's bucket times `stride` and u's.
-- The formulas are those of lattice_evolve, written out, so that each is worked out once a gem; phases are not reduced
-- to [0, 2π), no wave needs that. OFFSET 0 keeps what is worked out once from being worked out wherever
-- it is used; the bounds keep products from an overflow or underflow, which Postgres refuses, and what has a coherence
-- below 1e-87 swings no more
SELECT floor(c * %(buckets)s) * %(stride)s + floor(u * %(buckets)s) AS cell, count(*) AS gems, sum(energy) AS energy,
  sum(c) AS coherence, sum(u) AS uncertainty, sum(c * cos(phase)) AS re, sum(c * sin(phase)) AS im,
  count(*) FILTER (WHERE c < %(below)s) AS below
FROM (
  SELECT energy, phase + energy * dt AS phase, least(1, uncertainty + dt / 10) AS u,
    CASE WHEN coherence < 1e-100 OR dt > 200 * energy THEN 0 ELSE coherence * exp(-dt / energy) END AS c
  FROM (
    SELECT least(greatest(energy, 1e-100), 1e100) AS energy, phase, coherence, uncertainty,
      greatest(0, date_part('epoch', %(now)s - measured_at) / %(tau_s)s::float8) AS dt
    FROM gem WHERE archived_at IS NULL OFFSET 0) AS stored
  OFFSET 0) AS evolved
GROUP BY cell;

-- name: list_risks
-- the gems that fall below the threshold soonest if they are left alone, and those that have fallen, up to a horizon. One
-- that was below when it was measured fell then at the latest. The moment is reckoned in seconds from now
SELECT gem_id, name, energy, phase, coherence, uncertainty, measured_at
FROM (
  SELECT gem_id, name, energy, phase, coherence, uncertainty, measured_at,
    date_part('epoch', measured_at - %(now)s)
      + %(tau_s)s::float8 * least(energy, 1e100) * ln(greatest(coherence / %(below)s::float8, 1)) AS falls_in_s
  FROM gem WHERE archived_at IS NULL OFFSET 0) AS g
WHERE falls_in_s <= %(within_s)s ORDER BY falls_in_s, gem_id LIMIT %(limit)s;

-- name: read_log
-- the newest entries of a gem's own log, up to a moment and the one after it, newest first, and how long a τ was for
-- whoever made them
SELECT cause, gain, reflection_id, via_gem_id, energy, phase, coherence, uncertainty, measured_at,
  coalesce(state_at, measured_at) AS state_at, coalesce(tau_s, %(tau_s)s) AS tau_s
FROM (
  (SELECT * FROM measurement WHERE gem_id = %(gem_id)s AND passage_id IS NULL AND measured_at > %(until)s
   ORDER BY measured_at, measurement_id LIMIT 1)
  UNION ALL
  (SELECT * FROM measurement WHERE gem_id = %(gem_id)s AND passage_id IS NULL AND measured_at <= %(until)s
   ORDER BY measurement_id DESC LIMIT %(limit)s)) AS m
ORDER BY measurement_id DESC;

-- name: read_states
-- the states of all gems that are not archived, in packets of ten thousand: ids, states and when they were measured, as
-- Postgres sends them, which numpy reads a hundred times faster than rows
SELECT string_agg(uuid_send(gem_id) || float8send(energy) || float8send(phase) || float8send(coherence)
  || float8send(uncertainty) || timestamptz_send(measured_at), '') AS packet
FROM (
  SELECT gem_id, energy, phase, coherence, uncertainty, measured_at, (row_number() OVER () - 1) / 10000 AS packet_number
  FROM gem WHERE archived_at IS NULL) AS g
GROUP BY packet_number ORDER BY packet_number;

-- name: read_lattice_log
-- the same of their logs: each gem's birth and its entries, in packets that hold whole gems
WITH kept AS (
  SELECT gem_id, created_at, row_number() OVER (ORDER BY gem_id) AS number FROM gem WHERE archived_at IS NULL),
entry AS (
  SELECT number, 0::bigint AS entry_id, created_at AS since, created_at AS state_at, 1::float8 AS energy,
    0::float8 AS phase, 1::float8 AS coherence, 0.1::float8 AS uncertainty, %(tau_s)s::float8 AS tau_s FROM kept
  UNION ALL
  SELECT k.number, m.measurement_id, m.measured_at, coalesce(m.state_at, m.measured_at), m.energy, m.phase, m.coherence,
    m.uncertainty, coalesce(m.tau_s, %(tau_s)s)
  FROM kept k JOIN measurement m ON m.gem_id = k.gem_id
  WHERE m.passage_id IS NULL)
SELECT string_agg(int8send(number) || timestamptz_send(since) || timestamptz_send(state_at) || float8send(energy)
  || float8send(phase) || float8send(coherence) || float8send(uncertainty) || float8send(tau_s), ''
  ORDER BY number, entry_id) AS packet
FROM entry GROUP BY number / 10000 ORDER BY number / 10000;

-- name: name_gems
-- the names of some gems
SELECT gem_id, name FROM gem WHERE gem_id = ANY(%(gem_ids)s::uuid[]);
