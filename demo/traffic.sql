-- A working day: what the application, its jobs and its users do to the loaded tables. Each transaction says who
-- asks and from where, as the seeds' code does; the log needs nothing else from it.
\connect - app
SET application_name = 'storefront';

-- A customer places an order ...
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 7)::text, true), set_config('app.client_ip', '203.0.113.7', true) \g /dev/null
SET LOCAL steward.context = '{"request_id": "req-20250417-0001", "session": "web"}';
INSERT INTO shop.orders (id, order_number, user_id, subtotal, shipping_cost, tax, total, shipping_address,
                         billing_address, payment_method)
VALUES (demo.uuid('the order', 1), 'ORD-2025-100001', demo.uuid('user', 7), 0, 4.90, 0, 4.90, demo.address(7),
        demo.address(7), 'credit_card');
INSERT INTO shop.order_items (order_id, product_id, product_name, product_sku, quantity, unit_price, subtotal)
SELECT demo.uuid('the order', 1), id, name, sku, 2, price, 2 * price
FROM shop.products WHERE id IN (demo.uuid('product', 12), demo.uuid('product', 345));
UPDATE shop.orders o SET subtotal = s, tax = round(s * 0.2, 2), total = s + round(s * 0.2, 2) + shipping_cost
FROM (SELECT sum(subtotal) FROM shop.order_items WHERE order_id = demo.uuid('the order', 1)) i (s)
WHERE id = demo.uuid('the order', 1);
INSERT INTO shop.order_status_history (order_id, status) VALUES (demo.uuid('the order', 1), 'pending');
COMMIT;

-- ... changes the address while it is still possible ...
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 7)::text, true), set_config('app.client_ip', '203.0.113.7', true) \g /dev/null
SET LOCAL steward.context = '{"request_id": "req-20250417-0019", "session": "web"}';
UPDATE shop.orders SET shipping_address = jsonb_set(shipping_address, '{street}', '"Mill Lane 3"'),
       billing_address = jsonb_set(billing_address, '{street}', '"Mill Lane 3"')
WHERE id = demo.uuid('the order', 1);
COMMIT;

-- ... and the back office takes it from there.
SET application_name = 'backoffice';
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 401)::text, true), set_config('app.client_ip', '10.20.0.14', true) \g /dev/null
UPDATE shop.orders SET status = 'confirmed', updated_at = now() WHERE id = demo.uuid('the order', 1);
INSERT INTO shop.order_status_history (order_id, status) VALUES (demo.uuid('the order', 1), 'confirmed');
COMMIT;

SET application_name = 'warehouse';
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 92)::text, true), set_config('app.client_ip', '10.20.7.81', true) \g /dev/null
SET LOCAL steward.context = '{"scanner": "dock-3"}';
UPDATE shop.orders SET status = 'shipped', tracking_number = 'JD0146000037', updated_at = now()
WHERE id = demo.uuid('the order', 1);
INSERT INTO shop.order_status_history (order_id, status) VALUES (demo.uuid('the order', 1), 'shipped');
COMMIT;

SET application_name = 'carrier-webhook';
BEGIN;
SELECT set_config('app.client_ip', '192.0.2.200', true) \g /dev/null
SET LOCAL steward.context = '{"carrier": "DHL", "event": "delivered"}';
UPDATE shop.orders SET status = 'delivered', notes = 'left with neighbour', updated_at = now()
WHERE id = demo.uuid('the order', 1);
INSERT INTO shop.order_status_history (order_id, status) VALUES (demo.uuid('the order', 1), 'delivered');
COMMIT;

-- Fulfilment moves older orders along, in bulk.
SET application_name = 'fulfilment';
SET app.current_user_id = '00000000-0000-4000-8000-000000000002';
WITH moved AS (
  UPDATE shop.orders SET status = CASE WHEN created_at < '2025-06-01' THEN 'delivered' ELSE 'processing' END, updated_at = now()
  WHERE status = 'pending' AND created_at < '2025-07-15' RETURNING id, status)
INSERT INTO shop.order_status_history (order_id, status) SELECT id, status FROM moved;
WITH cancelled AS (
  UPDATE shop.orders SET status = 'cancelled', notes = 'unpaid for 14 days' WHERE status = 'pending' AND payment_method = 'bank_transfer'
  RETURNING id)
INSERT INTO shop.order_status_history (order_id, status, notes) SELECT id, 'cancelled', 'unpaid' FROM cancelled;

-- The pricing job: five per cent on two categories, and a no-op on everything, which must leave no trace.
SET application_name = 'pricing-job';
SET steward.context = '{"job": "spring prices", "approved_by": "category management"}';
UPDATE shop.products SET price = round(price * 1.05, 2), updated_at = now()
WHERE category_id IN (SELECT id FROM shop.categories WHERE slug LIKE 'kitchen-%');
UPDATE shop.products SET price = price, is_active = true;
RESET steward.context;

-- A delivery: MERGE counts stock up, adds what is new and retires what the supplier dropped.
SET application_name = 'supplier-feed';
MERGE INTO shop.products p
USING (SELECT demo.uuid('product', n), 'NEW-' || lpad(n::text, 5, '0'), 10 + n % 50,
              CASE WHEN n % 100 = 0 THEN 'dropped' ELSE 'delivered' END
       FROM generate_series(2501, 3100) n) f (id, sku, quantity, state)
ON p.id = f.id
WHEN MATCHED AND f.state = 'dropped' THEN UPDATE SET is_active = false, stock = 0
WHEN MATCHED THEN UPDATE SET stock = p.stock + f.quantity
WHEN NOT MATCHED THEN INSERT (id, name, sku, price, stock) VALUES (f.id, 'New arrival ' || f.sku, f.sku, 19.90, f.quantity);

-- Discontinued products go, and their images, specifications and reviews with them.
SET application_name = 'backoffice';
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 401)::text, true), set_config('app.client_ip', '10.20.0.14', true) \g /dev/null
SET LOCAL steward.context = '{"ticket": "SHOP-1142"}';
DELETE FROM shop.products WHERE id IN (SELECT demo.uuid('product', n) FROM generate_series(2901, 2960) n);
DELETE FROM shop.orders WHERE status = 'cancelled' AND created_at < '2025-08-01';
COMMIT;

-- Carts: an upsert for each of 800 visitors (600 have one), then the weekly reset.
SET application_name = 'storefront';
INSERT INTO shop.shopping_carts (user_id, items)
SELECT demo.uuid('user', n), '[{"sku": "GIFT-00001", "quantity": 1}]' FROM generate_series(1, 800) n
ON CONFLICT (user_id) DO UPDATE SET items = shopping_carts.items || excluded.items, updated_at = now();
SET application_name = 'cart-reset';
TRUNCATE shop.shopping_carts;
INSERT INTO shop.shopping_carts (user_id) SELECT demo.uuid('user', n) FROM generate_series(1, 25) n;

-- The blog, under its row security: people edit their own profile and posts, moderators flag, readers read.
SET application_name = 'blog';
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 7)::text, true), set_config('app.client_ip', '203.0.113.7', true) \g /dev/null
UPDATE blog.users SET email = 'new.address@example.org' WHERE id = demo.uuid('user', 7);
COMMIT;
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 7)::text, true), set_config('app.client_ip', '203.0.113.7', true) \g /dev/null
UPDATE blog.users SET email = 'isaac@example.org' WHERE id = demo.uuid('user', 7);
UPDATE blog.user_profiles SET bio = 'Left the city for the sea.', settings = settings || '{"timezone": "Europe/Oslo"}'
WHERE user_id = demo.uuid('user', 7);
UPDATE blog.posts SET published = true, view_count = view_count + 1 WHERE author_id = demo.uuid('user', 7);
COMMIT;
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 7)::text, true), set_config('app.client_ip', '203.0.113.7', true) \g /dev/null
UPDATE blog.users SET email = 'new.address@example.org' WHERE id = demo.uuid('user', 7);
COMMIT;
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 92)::text, true), set_config('app.client_ip', '203.0.113.92', true) \g /dev/null
UPDATE blog.comments SET flagged_count = flagged_count + 1, is_approved = false WHERE content LIKE 'The link%';
COMMIT;

-- One of them leaves: own comments first, then the account; posts cascade, the profile stays behind, nameless.
BEGIN;
SELECT set_config('app.current_user_id', demo.uuid('user', 42)::text, true), set_config('app.client_ip', '203.0.113.42', true) \g /dev/null
SET LOCAL steward.context = '{"request_id": "req-20250417-0777", "reason": "account closed"}';
DELETE FROM blog.comments WHERE author_id = demo.uuid('user', 42);
DELETE FROM blog.users WHERE id = demo.uuid('user', 42);
COMMIT;

-- An import that fails: thousands of rows change and none of it happened.
SET application_name = 'nightly-import';
BEGIN;
DELETE FROM shop.orders;
UPDATE shop.products SET price = 0;
ROLLBACK;
