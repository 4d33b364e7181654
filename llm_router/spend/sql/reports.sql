-- name: read_spend
-- the attempts of a span of time, counted and added up by one of their columns; seconds of answers only, since what
-- fails at once is no measure of speed; `unpriced` are those that used tokens of which nobody knows the price
SELECT g.part, count(*) AS calls,
  count(*) FILTER (WHERE a.outcome = 'answered') AS answered,
  count(*) FILTER (WHERE a.outcome = 'failed') AS failed,
  count(*) FILTER (WHERE a.outcome = 'cancelled') AS cancelled,
  coalesce(sum(u.input_tokens), 0) AS input_tokens,
  coalesce(sum(u.output_tokens), 0) AS output_tokens,
  coalesce(sum(u.cache_read_tokens), 0) AS cache_read_tokens,
  coalesce(sum(u.cache_write_tokens), 0) AS cache_write_tokens,
  coalesce(sum(u.reasoning_tokens), 0) AS reasoning_tokens,
  coalesce(sum(u.cache_write_1h_tokens), 0) AS cache_write_1h_tokens,
  coalesce(sum(a.cost_usd), 0) AS cost_usd,
  count(*) FILTER (
    WHERE a.cost_usd IS NULL AND u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens
      + u.reasoning_tokens + u.cache_write_1h_tokens > 0) AS unpriced,
  count(*) FILTER (WHERE a.estimated) AS estimated,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY a.seconds) FILTER (WHERE a.outcome = 'answered') AS seconds_p50,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY a.seconds) FILTER (WHERE a.outcome = 'answered') AS seconds_p95
FROM llm_attempt a
CROSS JOIN LATERAL (
  SELECT CASE %(by)s::text WHEN 'target' THEN a.target WHEN 'model' THEN a.model WHEN 'key' THEN a.api_key
    ELSE to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD') END AS part) AS g
LEFT JOIN LATERAL jsonb_to_record(a.usage) AS u (input_tokens numeric, output_tokens numeric,
  cache_read_tokens numeric, cache_write_tokens numeric, reasoning_tokens numeric, cache_write_1h_tokens numeric)
  ON a.usage IS NOT NULL
WHERE a.at >= %(since)s AND a.at < %(until)s
GROUP BY g.part ORDER BY g.part;

-- name: read_budgets
-- what was spent of some budgets in the windows that begin then, and what is set aside and has not expired
SELECT b.budget, b.subject, b.spent_usd, coalesce(held.amount_usd, 0) AS reserved_usd
FROM unnest(%(budgets)s::text[], %(starts)s::timestamptz[]) AS g (budget, window_start)
JOIN llm_budget b USING (budget, window_start)
LEFT JOIN LATERAL (
  SELECT sum(r.amount_usd) AS amount_usd FROM llm_reservation r
  WHERE r.budget = b.budget AND r.subject = b.subject AND r.window_start = b.window_start
    AND r.expires_at > %(now)s) AS held ON true
ORDER BY b.budget, b.subject;
