\pset format wrapped
\echo :b'15. Deleted is not gone':n'   a product, with what references it ON DELETE CASCADE'
\connect - migrator
\set ECHO queries
SELECT * FROM steward.soft_delete_enable('shop.products', dry_run => true);
\o /dev/null
SELECT steward.soft_delete_enable(t) FROM unnest('{shop.products,shop.product_images,shop.product_reviews}'::regclass[]) t;
\o
\set ECHO none
\echo
\connect - app
SET application_name = 'backoffice';
SELECT set_config('app.current_user_id', demo.uuid('user', 401)::text, false), set_config('app.client_ip', '10.20.0.14', false) \g /dev/null
SELECT sku FROM shop.products WHERE id = demo.uuid('product', 345) \gset
-- The product's rows, live ones and all; what the screen shows three times.
CREATE TEMP VIEW rows_of_the_product AS
SELECT 'products' AS "table", count(*) AS "rows", (SELECT count(*) FROM shop.active_products WHERE id = demo.uuid('product', 345)) AS active
FROM shop.products WHERE id = demo.uuid('product', 345) UNION ALL
SELECT 'product_images', count(*), (SELECT count(*) FROM shop.active_product_images WHERE product_id = demo.uuid('product', 345))
FROM shop.product_images WHERE product_id = demo.uuid('product', 345) UNION ALL
SELECT 'product_reviews', count(*), (SELECT count(*) FROM shop.active_product_reviews WHERE product_id = demo.uuid('product', 345))
FROM shop.product_reviews WHERE product_id = demo.uuid('product', 345);
\echo 'DELETE FROM shop.products WHERE sku =' :'sku';
DELETE FROM shop.products WHERE sku = :'sku';
TABLE rows_of_the_product;
SELECT demo.check(bool_and("rows" > 0 AND active = 0), 'a deleted product takes its images and reviews along, and all are still there') FROM rows_of_the_product \g /dev/null
\echo 'UPDATE shop.products SET deleted_at = NULL WHERE sku =' :'sku';
UPDATE shop.products SET deleted_at = NULL WHERE sku = :'sku';
TABLE rows_of_the_product;
SELECT demo.check(bool_and("rows" > 0 AND active = "rows"), 'a restored product has its images and reviews') FROM rows_of_the_product \g /dev/null
\connect - :super
SET TimeZone = 'UTC';
SELECT table_name AS "table", operation AS op, demo.who(user_id) AS who, demo.changes(old_values - 'updated_at', new_values - 'updated_at', 19) AS what
FROM steward.audit_log WHERE changed_columns @> '{deleted_at}' AND table_name <> 'product_images' ORDER BY created_at, transaction_id, seq LIMIT 8;
\pset format aligned
