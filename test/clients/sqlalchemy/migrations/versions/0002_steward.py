from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    for table in ("customers", "orders", "order_items"):
        op.execute(f"SELECT steward.tenant_protect('{table}')")
        op.execute(f"SELECT steward.soft_delete_enable('{table}')")
    op.execute("SELECT steward.audit_enable('customers', exclude => '{search_vector}')")
    op.execute("SELECT steward.audit_enable('orders')")
    op.execute("SELECT steward.audit_enable('order_items')")
    op.execute("SELECT steward.updated_at_enable('customers')")
    op.execute("SELECT steward.updated_at_enable('orders')")
    op.execute("SELECT steward.row_version_enable('orders')")
    op.execute("CALL steward.search_enable('customers', '{name:A}', 'simple')")


def downgrade():
    op.execute("SELECT steward.search_disable('customers', keep_column => true)")
    op.execute("SELECT steward.row_version_disable('orders')")
    op.execute("SELECT steward.updated_at_disable('orders')")
    op.execute("SELECT steward.updated_at_disable('customers')")
    for table in ("order_items", "orders", "customers"):
        op.execute(f"SELECT steward.audit_disable('{table}')")
        op.execute(f"SELECT steward.soft_delete_disable('{table}')")
        op.execute(f"SELECT steward.tenant_unprotect('{table}')")
