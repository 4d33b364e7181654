-- name: forget_expired
-- a few of the keys that are past their time; those that another request is at are left to it
DELETE FROM idempotency_key WHERE key IN (
  SELECT key FROM idempotency_key WHERE created_at < now() - %(kept)s::interval
  ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED);

-- name: claim_key
-- take a key that is new, past its time, or left running by a process that must have died; no row if it is another's
INSERT INTO idempotency_key (key, request_hash, created_at) VALUES (%(key)s, %(request_hash)s, clock_timestamp())
ON CONFLICT (tenant_id, key) DO UPDATE SET request_hash = excluded.request_hash, created_at = excluded.created_at,
  status = NULL, body = NULL, location = NULL
WHERE idempotency_key.created_at < now() - %(kept)s::interval
   OR (idempotency_key.status IS NULL AND idempotency_key.request_hash = excluded.request_hash
       AND idempotency_key.created_at < now() - %(stale)s::interval)
RETURNING created_at;

-- name: find_key
-- what is known of a key
SELECT request_hash, status, body, location FROM idempotency_key WHERE key = %(key)s;

-- name: store_answer
-- the answer to a claimed request; nothing if the claim was taken over meanwhile
UPDATE idempotency_key SET status = %(status)s, body = %(body)s, location = %(location)s
WHERE key = %(key)s AND created_at = %(claimed_at)s AND status IS NULL;

-- name: free_key
-- the request failed: the same key may try again
DELETE FROM idempotency_key WHERE key = %(key)s AND created_at = %(claimed_at)s AND status IS NULL;
