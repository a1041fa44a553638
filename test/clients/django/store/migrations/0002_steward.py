from django.db import migrations

UP = """
SELECT steward.tenant_protect(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
SELECT steward.audit_enable('customers', exclude => '{search_vector}');
SELECT steward.audit_enable(t) FROM unnest('{orders,order_items}'::regclass[]) t;
SELECT steward.updated_at_enable(t) FROM unnest('{customers,orders}'::regclass[]) t;
SELECT steward.row_version_enable('orders');
SELECT steward.soft_delete_enable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
CALL steward.search_enable('customers', '{name:A}', 'simple');
"""

DOWN = """
SELECT steward.search_disable('customers', keep_column => true);
SELECT steward.soft_delete_disable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
SELECT steward.row_version_disable('orders');
SELECT steward.updated_at_disable(t) FROM unnest('{customers,orders}'::regclass[]) t;
SELECT steward.audit_disable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
SELECT steward.tenant_unprotect(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]
    operations = [migrations.RunSQL(UP, DOWN)]
