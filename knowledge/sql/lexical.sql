-- name: insert_segment
-- a new segment of a gem's lexical index; its id is the gem's version, so that ids rise in the order of writing
INSERT INTO lexical_segment (gem_id, segment_id, base, span, size, tokens, terms, overrides, tombstones)
VALUES (%(gem_id)s, %(segment_id)s, %(base)s, %(span)s, %(size)s, %(tokens)s, %(terms)s::text[], %(overrides)s::int[],
  %(tombstones)s::int[]);

-- name: insert_postings
-- the posting lists of one segment, all in one statement (COPY is refused under row-level security)
INSERT INTO lexical_posting (term, gem_id, segment_id, data)
SELECT p.term, %(gem_id)s, %(segment_id)s, p.data
FROM unnest(%(terms)s::text[], %(data)s::bytea[]) AS p (term, data);

-- name: fetch_lists
-- what BM25 needs, in one snapshot: every segment of the gems (term is null), and the lists of the question's terms
SELECT NULL::text AS term, gem_id, segment_id, NULL::bytea AS data, base, span, size, tokens, overrides, tombstones
FROM lexical_segment WHERE gem_id = ANY(%(gem_ids)s::uuid[])
UNION ALL
SELECT term, gem_id, segment_id, data, NULL, NULL, NULL, NULL, NULL, NULL
FROM lexical_posting WHERE term = ANY(%(terms)s::text[]) AND gem_id = ANY(%(gem_ids)s::uuid[]);

-- name: list_segments
-- a gem's segments, oldest first
SELECT gem_id, segment_id, base, span, size, tokens, overrides, tombstones
FROM lexical_segment WHERE gem_id = %(gem_id)s ORDER BY segment_id;

-- name: count_waiting
-- how many segments a gem has beyond those that its passages fill
SELECT count(*) - coalesce(sum(span), 0) / %(full)s AS waiting FROM lexical_segment WHERE gem_id = %(gem_id)s;

-- name: hold_gem
-- the gem's row, so that nobody writes into it meanwhile
SELECT 1 FROM gem WHERE gem_id = %(gem_id)s FOR UPDATE;

-- name: get_postings
-- the posting lists of a run of segments, for merging; found by the terms that the segments list
SELECT p.term, p.segment_id, p.data
FROM lexical_segment s
JOIN lexical_posting p ON p.tenant_id = s.tenant_id AND p.term = ANY(s.terms) AND p.gem_id = s.gem_id
  AND p.segment_id = s.segment_id
WHERE s.gem_id = %(gem_id)s AND s.segment_id = ANY(%(segment_ids)s::bigint[]);

-- name: drop_segments
-- the segments of a run; their postings go with them
DELETE FROM lexical_segment WHERE gem_id = %(gem_id)s AND segment_id = ANY(%(segment_ids)s::bigint[]);
