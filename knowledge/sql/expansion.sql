-- name: find_surroundings
-- each found passage with those around it, one row each, by how many stand between (side -1 before, 1 after): in a
-- thread its turns, else the passages of its document under the same heading; or, if whole, those of its document.
-- Those beyond the budget's reach stay out. The limits keep the planner to the indexes while its statistics are young
SELECT f.passage_id AS found, n.side, n.distance, n.passage_id, n.document_id, n.ordinal, n.start_char, n.end_char,
  n.tokens
FROM unnest(%(passage_ids)s::uuid[]) AS f (passage_id)
CROSS JOIN LATERAL (
  SELECT p.gem_id, p.passage_id, p.document_id, p.ordinal, p.heading, p.start_char, p.end_char, p.tokens
  FROM passage p WHERE p.passage_id = f.passage_id LIMIT 1) AS p
CROSS JOIN LATERAL (
  SELECT CASE WHEN NOT %(whole)s THEN d.thread END AS thread, d.position
  FROM document d WHERE d.document_id = p.document_id LIMIT 1) AS d
CROSS JOIN LATERAL (
  SELECT 0 AS side, 0::bigint AS distance, 0::bigint AS between_tokens,
    p.passage_id, p.document_id, p.ordinal, p.start_char, p.end_char, p.tokens
  UNION ALL
  (SELECT -1, row_number() OVER w, sum(q.tokens) OVER w,
     q.passage_id, q.document_id, q.ordinal, q.start_char, q.end_char, q.tokens
   FROM passage q
   WHERE d.thread IS NULL AND q.document_id = p.document_id AND q.ordinal < p.ordinal
     AND (%(whole)s OR q.ordinal > coalesce((
       SELECT r.ordinal FROM passage r
       WHERE r.document_id = p.document_id AND r.ordinal < p.ordinal AND r.heading IS DISTINCT FROM p.heading
       ORDER BY r.ordinal DESC LIMIT 1), -1))
   WINDOW w AS (ORDER BY q.ordinal DESC ROWS UNBOUNDED PRECEDING) ORDER BY q.ordinal DESC LIMIT %(most)s)
  UNION ALL
  (SELECT 1, row_number() OVER w, sum(q.tokens) OVER w,
     q.passage_id, q.document_id, q.ordinal, q.start_char, q.end_char, q.tokens
   FROM passage q
   WHERE d.thread IS NULL AND q.document_id = p.document_id AND q.ordinal > p.ordinal
     AND (%(whole)s OR q.ordinal < coalesce((
       SELECT r.ordinal FROM passage r
       WHERE r.document_id = p.document_id AND r.ordinal > p.ordinal AND r.heading IS DISTINCT FROM p.heading
       ORDER BY r.ordinal LIMIT 1), 2147483647))
   WINDOW w AS (ORDER BY q.ordinal ROWS UNBOUNDED PRECEDING) ORDER BY q.ordinal LIMIT %(most)s)
  UNION ALL
  (SELECT -1, row_number() OVER w, sum(q.tokens) OVER w,
     q.passage_id, q.document_id, q.ordinal, q.start_char, q.end_char, q.tokens
   FROM document t JOIN passage q ON q.tenant_id = t.tenant_id AND q.document_id = t.document_id
   WHERE t.gem_id = p.gem_id AND t.thread = d.thread AND t.position <= d.position
     AND (t.position, q.ordinal) < (d.position, p.ordinal)
     AND (q.closed_at IS NULL OR q.closed_at > %(as_of)s::timestamptz) AND q.created_at <= %(as_of)s::timestamptz
   WINDOW w AS (ORDER BY t.position DESC, q.ordinal DESC ROWS UNBOUNDED PRECEDING)
   ORDER BY t.position DESC, q.ordinal DESC LIMIT %(turns)s)
  UNION ALL
  (SELECT 1, row_number() OVER w, sum(q.tokens) OVER w,
     q.passage_id, q.document_id, q.ordinal, q.start_char, q.end_char, q.tokens
   FROM document t JOIN passage q ON q.tenant_id = t.tenant_id AND q.document_id = t.document_id
   WHERE t.gem_id = p.gem_id AND t.thread = d.thread AND t.position >= d.position
     AND (t.position, q.ordinal) > (d.position, p.ordinal)
     AND (q.closed_at IS NULL OR q.closed_at > %(as_of)s::timestamptz) AND q.created_at <= %(as_of)s::timestamptz
   WINDOW w AS (ORDER BY t.position, q.ordinal ROWS UNBOUNDED PRECEDING)
   ORDER BY t.position, q.ordinal LIMIT %(turns)s)
) AS n
WHERE n.between_tokens <= %(reach)s
ORDER BY found, n.side, n.distance;

-- name: cut_documents
-- one stretch of each document as it was ingested, and who says it. One, however many pieces are wanted of it: each cut
-- unpacks the whole text, 15 ms for 10 MB
SELECT c.document_id, d.speaker, substr(d.body, c.start_char + 1, c.end_char - c.start_char) AS text
FROM unnest(%(document_ids)s::uuid[], %(starts)s::int[], %(ends)s::int[]) AS c (document_id, start_char, end_char)
CROSS JOIN LATERAL (
  SELECT d.speaker, d.body FROM document d WHERE d.document_id = c.document_id LIMIT 1) AS d;
