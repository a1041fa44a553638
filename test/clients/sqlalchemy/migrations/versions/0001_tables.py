import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None


def stamps():
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))
            for name in ("created_at", "updated_at")]


def upgrade():
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        *stamps(),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("search_vector", TSVECTOR),
    )
    op.create_index("customers_email_key", "customers", ["tenant_id", "email"], unique=True,
                    postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("customers_tenant_id_idx", "customers", ["tenant_id"])
    op.create_index("customers_search_vector_idx", "customers", ["search_vector"], postgresql_using="gin")
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("placed_by", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        *stamps(),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )
    op.create_index("orders_tenant_id_idx", "orders", ["tenant_id"])
    op.create_index("orders_customer_id_idx", "orders", ["customer_id"])
    op.create_table(
        "order_items",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )
    op.create_index("order_items_tenant_id_idx", "order_items", ["tenant_id"])
    op.create_index("order_items_order_id_idx", "order_items", ["order_id"])


def downgrade():
    for table in ("order_items", "orders", "customers"):
        op.drop_table(table)
