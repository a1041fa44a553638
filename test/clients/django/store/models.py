from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now


class Kept(models.Model):
    """What has columns that the server fills in at each write."""

    created_at = models.DateTimeField(default=Now, editable=False)
    updated_at = models.DateTimeField(default=Now, editable=False)

    kept = ["tenant_id", "created_at", "updated_at"]

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        self.refresh_from_db(fields=self.kept)


class LiveRows(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(deleted_at=None)


class SoftDeleted(models.Model):
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = LiveRows()
    with_deleted = models.Manager()

    class Meta:
        abstract = True


class Customer(Kept, SoftDeleted):
    tenant_id = models.BigIntegerField(null=True, editable=False)
    email = models.TextField()
    name = models.TextField()
    search_vector = SearchVectorField(null=True, editable=False)

    class Meta:
        db_table = "customers"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "email"], condition=models.Q(deleted_at=None), name="customers_email_key"),
        ]
        indexes = [
            models.Index(fields=["tenant_id"], name="customers_tenant_id_idx"),
            GinIndex(fields=["search_vector"], name="customers_search_vector_idx"),
        ]


class Order(Kept, SoftDeleted):
    tenant_id = models.BigIntegerField(null=True, editable=False)
    customer = models.ForeignKey(Customer, models.CASCADE)
    status = models.TextField()
    placed_by = models.TextField(null=True)
    version = models.BigIntegerField(default=1, editable=False)

    kept = Kept.kept + ["version"]

    class Meta:
        db_table = "orders"
        indexes = [models.Index(fields=["tenant_id"], name="orders_tenant_id_idx")]


class OrderItem(SoftDeleted):
    tenant_id = models.BigIntegerField(null=True, editable=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    sku = models.TextField()
    quantity = models.IntegerField()

    class Meta:
        db_table = "order_items"
        indexes = [models.Index(fields=["tenant_id"], name="order_items_tenant_id_idx")]


class Event(models.Model):
    """An event of the audit log."""

    event_id = models.TextField(primary_key=True)
    created_at = models.DateTimeField()
    table_name = models.TextField()
    operation = models.TextField()
    old_values = models.JSONField(null=True)
    new_values = models.JSONField(null=True)
    user_id = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = 'steward"."audit_log'
