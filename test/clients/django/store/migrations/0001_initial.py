import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models
import django.db.models.deletion
import django.db.models.functions.datetime


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.db.models.functions.datetime.Now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.db.models.functions.datetime.Now, editable=False)),
                ('deleted_at', models.DateTimeField(editable=False, null=True)),
                ('tenant_id', models.BigIntegerField(editable=False, null=True)),
                ('email', models.TextField()),
                ('name', models.TextField()),
                ('search_vector', django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
            ],
            options={
                'db_table': 'customers',
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.db.models.functions.datetime.Now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.db.models.functions.datetime.Now, editable=False)),
                ('deleted_at', models.DateTimeField(editable=False, null=True)),
                ('tenant_id', models.BigIntegerField(editable=False, null=True)),
                ('status', models.TextField()),
                ('placed_by', models.TextField(null=True)),
                ('version', models.BigIntegerField(default=1, editable=False)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='store.customer')),
            ],
            options={
                'db_table': 'orders',
            },
        ),
        migrations.CreateModel(
            name='OrderItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tenant_id', models.BigIntegerField(editable=False, null=True)),
                ('deleted_at', models.DateTimeField(editable=False, null=True)),
                ('sku', models.TextField()),
                ('quantity', models.IntegerField()),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='store.order')),
            ],
            options={
                'db_table': 'order_items',
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('event_id', models.TextField(primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField()),
                ('table_name', models.TextField()),
                ('operation', models.TextField()),
                ('old_values', models.JSONField(null=True)),
                ('new_values', models.JSONField(null=True)),
                ('user_id', models.TextField(null=True)),
            ],
            options={
                'db_table': 'steward"."audit_log',
                'managed': False,
            },
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['tenant_id'], name='customers_tenant_id_idx'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search_vector'], name='customers_search_vector_idx'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('tenant_id', 'email'), name='customers_email_key'),
        ),
        migrations.AddIndex(
            model_name='orderitem',
            index=models.Index(fields=['tenant_id'], name='order_items_tenant_id_idx'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['tenant_id'], name='orders_tenant_id_idx'),
        ),
    ]
