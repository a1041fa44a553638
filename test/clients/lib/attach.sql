-- What shops run in a migration after that of tables.sql.
SELECT steward.tenant_protect(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
SELECT steward.audit_enable('customers', exclude => '{search_vector}');
SELECT steward.audit_enable(t) FROM unnest('{orders,order_items}'::regclass[]) t;
SELECT steward.updated_at_enable(t) FROM unnest('{customers,orders}'::regclass[]) t;
SELECT steward.row_version_enable('orders');
SELECT steward.soft_delete_enable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
CALL steward.search_enable('customers', '{name:A}', 'simple');
