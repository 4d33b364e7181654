-- name: read_field
-- what the gems of the lattice are like together, archived ones left out, each evolved to the moment asked for: in one
-- pass, which leaves one row for each cell of the two histograms together, its key u's bucket and c's times `stride`.
-- No phase is reduced to [0, 2π), no wave needs that; OFFSET 0 keeps what is worked out once from being worked out
-- wherever it is used
SELECT floor(c * %(buckets)s) * %(stride)s + floor(u * %(buckets)s) AS cell, count(*) AS gems, sum(energy) AS energy,
  sum(c) AS coherence, sum(u) AS uncertainty, sum(c * cos(phase)) AS re, sum(c * sin(phase)) AS im,
  count(*) FILTER (WHERE c < %(below)s) AS below
FROM (
  SELECT energy, phase + energy * dt AS phase, least(1, uncertainty + dt / 10) AS u,
    CASE WHEN coherence < 1e-100 THEN 0 ELSE coherence * exp(greatest(-dt / energy, -200)) END AS c
  FROM (
    SELECT energy, phase, coherence, uncertainty,
      greatest(0, date_part('epoch', %(now)s - measured_at) / %(tau_s)s::float8) AS dt
    FROM gem WHERE archived_at IS NULL OFFSET 0) AS stored
  OFFSET 0) AS evolved
GROUP BY cell;
