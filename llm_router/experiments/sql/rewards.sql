-- name: add_reward
-- one reward more, or a change of one that is counted already (added = 0); exact under concurrency, since the row is read
-- as it is locked. The bounds only take off what rounding may leave.
INSERT INTO llm_reward AS r (experiment, variant, trials, reward_sum)
VALUES (%(experiment)s, %(variant)s, 1, %(reward)s)
ON CONFLICT (tenant_id, experiment, variant) DO UPDATE
SET trials = r.trials + %(added)s,
  reward_sum = greatest(0, least(r.trials + %(added)s, r.reward_sum + %(change)s)),
  updated_at = now();

-- name: list_rewards
-- what was counted for these experiments
SELECT experiment, variant, trials, reward_sum FROM llm_reward WHERE experiment = ANY(%(experiments)s::text[]);
