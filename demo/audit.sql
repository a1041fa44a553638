-- The owner of the tables has them audited: no superuser, no change to the application.
\connect - migrator
SELECT steward.audit_enable('blog.users', exclude => '{search_vector}', redact => '{email}') \g /dev/null
SELECT steward.audit_enable('blog.posts', exclude => '{search_vector}') \g /dev/null
SELECT steward.audit_enable(t, redact => CASE t WHEN 'shop.orders'::regclass THEN '{billing_address}' ELSE '{}' END::name[])
FROM unnest('{blog.user_profiles,blog.comments,shop.categories,shop.products,shop.product_images,
              shop.product_specifications,shop.product_reviews,shop.orders,shop.order_items,
              shop.order_status_history,shop.shopping_carts,
              pgbench_accounts,pgbench_tellers,pgbench_branches,pgbench_history}'::regclass[]) t \g /dev/null
