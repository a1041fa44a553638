-- Prints what is wrong with the log of the orders that eight tenants placed at the same time; nothing if all is well.
-- Each order has in placed_by the user that the application was working for.
CREATE TEMP VIEW placed AS
SELECT operation, record_id, tenant_id, user_id, tenant_verified, user_verified, new_values
  FROM steward.audit_entries
 WHERE table_name = 'orders' AND new_values ->> 'status' IN ('pooled', 'paid in the pool');

SELECT format('%s of order %s by user %s of tenant %s: %s', operation, record_id, user_id, p.tenant_id, new_values)
  FROM placed p LEFT JOIN orders o ON o.id::text = p.record_id
 WHERE (tenant_verified AND user_verified AND p.tenant_id = o.tenant_id::text AND p.user_id = o.placed_by
		AND p.user_id = 'user_' || p.tenant_id) IS NOT TRUE;

SELECT format('tenant %s: %s orders, of which the log has %s inserted and %s paid', n, orders, inserted, paid)
  FROM generate_series(1, 8) n,
	   LATERAL (SELECT count(*) AS orders FROM orders WHERE tenant_id = n AND status IN ('pooled', 'paid in the pool')) o,
	   LATERAL (SELECT count(*) FILTER (WHERE operation = 'INSERT') AS inserted,
					   count(*) FILTER (WHERE operation = 'UPDATE') AS paid
				  FROM placed WHERE tenant_id = n::text) p
 WHERE NOT (orders = inserted AND paid = 10 AND orders = 20);
