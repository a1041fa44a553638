-- The inverse of attach.sql.
SELECT steward.search_disable('customers', keep_column => true);
SELECT steward.soft_delete_disable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
SELECT steward.row_version_disable('orders');
SELECT steward.updated_at_disable(t) FROM unnest('{customers,orders}'::regclass[]) t;
SELECT steward.audit_disable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
SELECT steward.tenant_unprotect(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
