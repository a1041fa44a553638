"""The tables of the shop, and the sessions that work in it."""
from sqlalchemy import BigInteger, Column, DateTime, FetchedValue, ForeignKey, Index, Integer, Text, event, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Session, declarative_base, relationship, with_loader_criteria

Base = declarative_base()


class Stamped:
    created_at = Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    updated_at = Column(DateTime(timezone=True), nullable=False, server_default=text("now()"),
                        server_onupdate=FetchedValue())


class SoftDeleted:
    deleted_at = Column(DateTime(timezone=True))


class Customer(Stamped, SoftDeleted, Base):
    __tablename__ = "customers"
    __mapper_args__ = {"eager_defaults": True, "confirm_deleted_rows": False}
    __table_args__ = (
        Index("customers_email_key", "tenant_id", "email", unique=True, postgresql_where=text("deleted_at IS NULL")),
        Index("customers_tenant_id_idx", "tenant_id"),
        Index("customers_search_vector_idx", "search_vector", postgresql_using="gin"),
    )
    id = Column(BigInteger, primary_key=True)
    tenant_id = Column(BigInteger, nullable=False, server_default=FetchedValue())
    email = Column(Text, nullable=False)
    name = Column(Text, nullable=False)
    search_vector = Column(TSVECTOR)
    orders = relationship("Order", back_populates="customer", passive_deletes="all")


class Order(Stamped, SoftDeleted, Base):
    __tablename__ = "orders"
    __table_args__ = (Index("orders_tenant_id_idx", "tenant_id"), Index("orders_customer_id_idx", "customer_id"))
    id = Column(BigInteger, primary_key=True)
    tenant_id = Column(BigInteger, nullable=False, server_default=FetchedValue())
    customer_id = Column(ForeignKey("customers.id", ondelete="CASCADE"), nullable=False)
    status = Column(Text, nullable=False)
    placed_by = Column(Text)
    version = Column(BigInteger, nullable=False, server_default=text("1"), server_onupdate=FetchedValue())
    customer = relationship("Customer", back_populates="orders")
    items = relationship("OrderItem", passive_deletes="all")
    __mapper_args__ = {
        "version_id_col": version,
        "version_id_generator": False,
        "eager_defaults": True,
        "confirm_deleted_rows": False,
    }


class OrderItem(SoftDeleted, Base):
    __tablename__ = "order_items"
    __table_args__ = (Index("order_items_tenant_id_idx", "tenant_id"), Index("order_items_order_id_idx", "order_id"))
    __mapper_args__ = {"confirm_deleted_rows": False}
    id = Column(BigInteger, primary_key=True)
    tenant_id = Column(BigInteger, nullable=False, server_default=FetchedValue())
    order_id = Column(ForeignKey("orders.id", ondelete="CASCADE"), nullable=False)
    sku = Column(Text, nullable=False)
    quantity = Column(Integer, nullable=False)


class Event(declarative_base()):
    """An event of the audit log, with metadata of its own, which Alembic does not see."""
    __tablename__ = "audit_log"
    __table_args__ = {"schema": "steward"}
    event_id = Column(Text, primary_key=True)
    created_at = Column(DateTime(timezone=True))
    table_name = Column(Text)
    operation = Column(Text)
    old_values = Column(JSONB)
    new_values = Column(JSONB)
    user_id = Column(Text)


@event.listens_for(Session, "after_begin")
def say_for_whom(session, transaction, connection):
    connection.execute(text("SELECT steward.tenant_login(:token)"), {"token": session.info["token"]})


@event.listens_for(Session, "do_orm_execute")
def read_live_rows(query):
    if query.is_select and not query.execution_options.get("with_deleted"):
        query.statement = query.statement.options(
            with_loader_criteria(SoftDeleted, lambda table: table.deleted_at.is_(None), include_aliases=True))
