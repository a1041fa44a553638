from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    for table in ("customers", "orders", "order_items"):
        op.execute(f"SELECT steward.tenant_protect('{table}')")
        op.execute(f"SELECT steward.audit_enable('{table}', exclude => '{{search_vector}}')" if table == "customers"
                   else f"SELECT steward.audit_enable('{table}')")
    for table in ("customers", "orders"):
        op.execute(f"SELECT steward.updated_at_enable('{table}')")
        op.execute(f"SELECT steward.soft_delete_enable('{table}')")
    op.execute("SELECT steward.row_version_enable('orders')")
    op.execute("CALL steward.search_enable('customers', '{name:A}', 'simple')")


def downgrade():
    op.execute("SELECT steward.search_disable('customers', keep_column => true)")
    op.execute("SELECT steward.row_version_disable('orders')")
    for table in ("customers", "orders"):
        op.execute(f"SELECT steward.soft_delete_disable('{table}')")
        op.execute(f"SELECT steward.updated_at_disable('{table}')")
    for table in ("customers", "orders", "order_items"):
        op.execute(f"SELECT steward.audit_disable('{table}')")
        op.execute(f"SELECT steward.tenant_unprotect('{table}')")
