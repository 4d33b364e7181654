-- name: insert_simulation
-- a simulation, if it is not stored yet; a row comes back if it was not. Its commit does not wait for the disk: whatever
-- a crash of the server takes with it, the same request makes again, under the same id
INSERT INTO simulation (simulation_id, scenario, outcome, events, series)
VALUES (%(simulation_id)s, %(scenario)s::json, %(outcome)s::json, %(events)s::json, %(series)b)
ON CONFLICT (tenant_id, simulation_id) DO NOTHING
RETURNING created_at, set_config('synchronous_commit', 'off', true);

-- name: get_simulation
-- one simulation
SELECT scenario::text, outcome::text, events::text, series, created_at
FROM simulation WHERE simulation_id = %(simulation_id)s;

-- name: list_simulations
-- a page of them without events and series, newest first
SELECT simulation_id, scenario::text, outcome::text, created_at FROM simulation
WHERE %(before_at)s::timestamptz IS NULL
   OR (created_at, simulation_id) < (%(before_at)s::timestamptz, %(before_id)s::uuid)
ORDER BY created_at DESC, simulation_id DESC LIMIT %(limit)s;

-- name: delete_simulation
-- one simulation; a row comes back if it was there
DELETE FROM simulation WHERE simulation_id = %(simulation_id)s RETURNING simulation_id;
