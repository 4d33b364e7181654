-- name: add_webhook
-- an address that is told of alerts; no row if there are too many already
INSERT INTO alert_webhook (webhook_id, url, secret, least_severity, description, created_at)
SELECT %(webhook_id)s, %(url)s, %(secret)s, %(least_severity)s, %(description)s, %(now)s
WHERE (SELECT count(*) FROM alert_webhook) < %(most)s
RETURNING webhook_id;

-- name: list_webhooks
-- all of them, oldest first, each with how its last message fared and how many wait; the secret is not among this
SELECT w.webhook_id, w.url, w.least_severity, w.description, w.created_at, w.disabled_at,
  last.tried_at, last.delivered, last.status, last.error,
  (SELECT count(*) FROM alert_delivery AS d WHERE d.webhook_id = w.webhook_id AND d.due_at IS NOT NULL) AS waiting
FROM alert_webhook AS w LEFT JOIN LATERAL (
  SELECT d.tried_at, d.delivered_at IS NOT NULL AS delivered, d.status, d.error FROM alert_delivery AS d
  WHERE d.webhook_id = w.webhook_id AND d.tried_at IS NOT NULL ORDER BY d.tried_at DESC LIMIT 1) AS last ON true
WHERE %(webhook_id)s::uuid IS NULL OR w.webhook_id = %(webhook_id)s::uuid
ORDER BY w.created_at, w.webhook_id;

-- name: find_target
-- where to, and what signs it
SELECT url, secret FROM alert_webhook WHERE webhook_id = %(webhook_id)s;

-- name: delete_webhook
-- with what was still to be delivered there
DELETE FROM alert_webhook WHERE webhook_id = %(webhook_id)s RETURNING webhook_id;

-- name: disable_webhook
-- it said that it is gone for good: what waits for it is given up
WITH given_up AS (
  UPDATE alert_delivery SET due_at = NULL WHERE webhook_id = %(webhook_id)s AND due_at IS NOT NULL)
UPDATE alert_webhook SET disabled_at = coalesce(disabled_at, now()) WHERE webhook_id = %(webhook_id)s;

-- name: enqueue
-- a message to every webhook that takes its severity
INSERT INTO alert_delivery (delivery_id, webhook_id, body, due_at)
SELECT gen_random_uuid(), w.webhook_id, told.body, clock_timestamp()
FROM unnest(%(bodies)s::text[], %(ranks)s::int[]) AS told (body, rank), alert_webhook AS w
WHERE w.disabled_at IS NULL
  AND told.rank >= array_position(ARRAY['info', 'warning', 'critical'], w.least_severity)
RETURNING delivery_id;

-- name: claim
-- messages that are due, for this process alone; should it die, they are due again when the lease is over
UPDATE alert_delivery AS d SET attempts = d.attempts + 1, tried_at = clock_timestamp(),
  due_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
FROM alert_webhook AS w
WHERE w.webhook_id = d.webhook_id AND d.delivery_id IN (
  SELECT delivery_id FROM alert_delivery WHERE due_at <= clock_timestamp()
  ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING d.delivery_id, d.webhook_id, d.body, d.attempts, w.url, w.secret;

-- name: settle
-- how an attempt ended: delivered, to be repeated after a while, or, with no such while, given up
UPDATE alert_delivery AS d SET status = %(status)s, error = %(error)s,
  delivered_at = CASE WHEN %(delivered)s THEN clock_timestamp() END,
  due_at = CASE WHEN w.disabled_at IS NULL THEN clock_timestamp() + make_interval(secs => %(again_s)s::float8) END
FROM alert_webhook AS w
WHERE d.delivery_id = %(delivery_id)s AND d.delivered_at IS NULL AND w.webhook_id = d.webhook_id;

-- name: find_next_due
-- in how many seconds the next message is due; no number if none is
SELECT date_part('epoch', min(due_at) - clock_timestamp()) AS wait_s FROM alert_delivery WHERE due_at IS NOT NULL;

-- name: forget_deliveries
-- messages that ended long ago
DELETE FROM alert_delivery
WHERE due_at IS NULL AND created_at < now() - make_interval(days => %(kept_days)s);
