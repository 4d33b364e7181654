-- name: read_switches
-- every target that an operator ever switched
SELECT target, enabled, changed_at FROM llm_switch ORDER BY target;

-- name: set_switch
-- a target switched on or off; a later word replaces an earlier one, and the same one again changes nothing
INSERT INTO llm_switch AS s (target, enabled, changed_at) VALUES (%(target)s, %(enabled)s, %(now)s)
ON CONFLICT (tenant_id, target) DO UPDATE SET enabled = excluded.enabled, changed_at = excluded.changed_at
WHERE s.enabled <> excluded.enabled;
