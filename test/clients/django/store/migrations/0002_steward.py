from django.db import migrations

UP = """
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE;
ALTER TABLE order_items ADD CONSTRAINT order_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE;
SELECT steward.tenant_protect(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
SELECT steward.audit_enable('customers', exclude => '{search_vector}');
SELECT steward.audit_enable(t) FROM unnest('{orders,order_items}'::regclass[]) t;
SELECT steward.updated_at_enable(t) FROM unnest('{customers,orders}'::regclass[]) t;
SELECT steward.row_version_enable('orders');
SELECT steward.soft_delete_enable(t) FROM unnest('{customers,orders}'::regclass[]) t;
CALL steward.search_enable('customers', '{name:A}', 'simple');
"""

DOWN = """
SELECT steward.search_disable('customers', keep_column => true);
SELECT steward.soft_delete_disable(t) FROM unnest('{orders,customers}'::regclass[]) t;
SELECT steward.row_version_disable('orders');
SELECT steward.updated_at_disable(t) FROM unnest('{customers,orders}'::regclass[]) t;
SELECT steward.audit_disable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
SELECT steward.tenant_unprotect(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
ALTER TABLE order_items DROP CONSTRAINT order_items_order_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]
    operations = [migrations.RunSQL(UP, DOWN)]
