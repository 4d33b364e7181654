-- name: group_passages
-- the open passages of a gem, evolved to a moment and added up by how slowly they fade and how stale they are: all that
-- the terms of the gem, now and later, need of them. The formulas are those of lattice_evolve, written out, where
-- OFFSET 0 keeps an expression from being worked out once for each of its uses. The bounds keep products from an overflow or underflow, which Postgres refuses. Sums are of a thousand and
-- then of these, since a long sum of floats drifts. One pass over the passages
SELECT min(least_energy) AS least_energy, max(greatest_energy) AS greatest_energy, sum(passages)::bigint AS passages,
  sum(coherence) AS coherence, sum(re) AS re, sum(im) AS im, sum(squares) AS squares, sum(uncertainty) AS uncertainty
FROM (
  SELECT s.pace, s.staleness, min(s.energy) AS least_energy, max(s.energy) AS greatest_energy, count(*) AS passages,
    sum(s.coherence) AS coherence, sum(s.coherence * cos(s.phase)) AS re, sum(s.coherence * sin(s.phase)) AS im,
    sum(s.coherence * s.coherence) AS squares, sum(s.uncertainty) AS uncertainty
  FROM (
    SELECT e.part, e.energy, e.coherence, e.uncertainty,
      greatest(e.turned - 2 * pi() * floor(e.turned / (2 * pi())), 1e-100) AS phase,
      floor(ln(e.energy) * 64) AS pace, floor(e.uncertainty * 32) AS staleness
    FROM (
      SELECT t.part, t.energy, t.phase + t.energy * t.dt AS turned, least(1, t.uncertainty + t.dt / 10) AS uncertainty,
        CASE WHEN t.coherence < 1e-50 THEN 0 ELSE t.coherence * exp(greatest(-t.dt / t.energy, -200)) END
          AS coherence
      FROM (
        SELECT p.slot / 1000 AS part, least(greatest(p.energy, 1e-100), 1e100) AS energy, p.phase, p.coherence, p.uncertainty,
          greatest(0, date_part('epoch', %(now)s - p.measured_at) / %(tau_s)s) AS dt
        FROM passage p WHERE p.gem_id = %(gem_id)s AND p.closed_at IS NULL OFFSET 0) AS t
      OFFSET 0) AS e
    OFFSET 0) AS s
  GROUP BY s.part, s.pace, s.staleness) AS parts
GROUP BY pace, staleness ORDER BY pace, staleness;

-- name: sample_passages
-- some open passages of a gem, the same ones each time: their ids are random, so the first of them are a fair sample
SELECT p.body AS text, CASE WHEN vector_dims(p.vector) = l.embedding_dimension THEN p.vector END AS vector
FROM lattice l CROSS JOIN LATERAL (
  SELECT p.body, CASE l.embedding_column WHEN 'embedding_b' THEN p.embedding_b ELSE p.embedding END AS vector
  FROM passage p WHERE p.gem_id = %(gem_id)s AND p.closed_at IS NULL
  ORDER BY p.passage_id LIMIT %(limit)s) AS p;
