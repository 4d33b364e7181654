-- name: reserve
-- set an amount aside in every budget or in none; the work is done by the function, under locks in one order
SELECT granted, spent, reserved FROM lattice_reserve_spend(%(reservation)s, %(amount)s, %(now)s, %(expires)s,
  %(owners)s::uuid[], %(budgets)s::text[], %(subjects)s::text[], %(starts)s::timestamptz[], %(limits)s::numeric[]);

-- name: settle
-- an attempt and, where it counts, what it cost; the same attempt again changes nothing
WITH entered AS (
  INSERT INTO llm_attempt (attempt_id, at, model, target, provider, target_model, api_key, outcome, error, status,
    seconds, first_token_s, usage, raw_usage, cost_usd, price_version, tier, estimated)
  VALUES (%(attempt_id)s, %(at)s, %(model)s, %(target)s, %(provider)s, %(target_model)s, %(api_key)s, %(outcome)s,
    %(error)s, %(status)s, %(seconds)s, %(first_token_s)s, %(usage)s, %(raw_usage)s, %(cost_usd)s, %(price_version)s,
    %(tier)s, %(estimated)s)
  ON CONFLICT DO NOTHING RETURNING attempt_id)
SELECT lattice_settle_spend(attempt_id, %(counted)s::numeric, %(sharing)s::uuid, %(owners)s::uuid[],
  %(budgets)s::text[], %(subjects)s::text[], %(starts)s::timestamptz[])
FROM entered WHERE %(counts)s;
