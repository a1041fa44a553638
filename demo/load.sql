-- The application loads its tables, audited from the first row: COPY where it has files, INSERT where it has not.
\connect - app
SET application_name = 'importer';
SET app.current_user_id = '00000000-0000-4000-8000-000000000001';
SET steward.context = '{"job": "initial import"}';

\copy blog.users (id, email, name, role, is_active, preferences, tags, created_at) from 'users.csv' (format csv)

INSERT INTO blog.user_profiles (id, user_id, bio, avatar_url, social_links, settings)
SELECT demo.uuid('profile', n), demo.uuid('user', n), 'Writes about ' || demo.word('topic', n) || '.',
       'https://img.example.com/avatars/' || n || '.png', jsonb_build_object('github', 'user' || n),
       jsonb_build_object('timezone', demo.pick('{UTC,Europe/Lisbon,Europe/Berlin,America/New_York}', n, 'zone'))
FROM generate_series(1, 2000) n;

\copy blog.posts (id, title, content, published, view_count, author_id, metadata, tags, created_at) from 'posts.csv' (format csv)

BEGIN;
INSERT INTO blog.comments (id, content, post_id, author_id)
SELECT demo.uuid('comment', n), demo.word('comment', n), demo.uuid('post', 1 + demo.number(n, 'post', 3000)),
       demo.uuid('user', 1 + demo.number(n, 'commenter', 1500))
FROM generate_series(1, 5000) n;
INSERT INTO blog.comments (id, content, post_id, author_id, parent_id)
SELECT demo.uuid('reply', n), demo.word('comment', n, 'reply'), c.post_id,
       demo.uuid('user', 1 + demo.number(n, 'replier', 1500)), c.id
FROM generate_series(1, 2000) n JOIN blog.comments c ON c.id = demo.uuid('comment', n);
COMMIT;

BEGIN;
INSERT INTO shop.categories (id, name, description, slug) VALUES
  (demo.uuid('category', 1), 'Home', 'Everything for the home', 'home'),
  (demo.uuid('category', 2), 'Kitchen', 'Cook, bake, brew', 'kitchen'),
  (demo.uuid('category', 3), 'Office', 'For people who sit', 'office'),
  (demo.uuid('category', 4), 'Outdoor', 'For people who do not', 'outdoor'),
  (demo.uuid('category', 5), 'Sport', NULL, 'sport'),
  (demo.uuid('category', 6), 'Travel', NULL, 'travel'),
  (demo.uuid('category', 7), 'Garden', NULL, 'garden'),
  (demo.uuid('category', 8), 'Audio', NULL, 'audio');
INSERT INTO shop.categories (id, name, parent_id, slug)
SELECT demo.uuid('category', 8 + n), p.name || ' ' || kind, p.id, p.slug || '-' || lower(kind)
FROM generate_series(1, 16) n, LATERAL (SELECT (ARRAY['Basics', 'Gifts'])[1 + n % 2]) k (kind), shop.categories p
WHERE p.id = demo.uuid('category', (n + 1) / 2);
COMMIT;

\copy shop.products (id, name, description, long_description, category_id, sku, price, stock, tags) from 'products.csv' (format csv)
\copy shop.product_images (id, product_id, image_url, alt_text, is_primary, sort_order) from 'product_images.csv' (format csv)

INSERT INTO shop.product_specifications (product_id, key, value)
SELECT id, s.key, s.value
FROM shop.products, LATERAL (VALUES ('weight', length(name) * 35 || ' g'), ('warranty', '24 months'),
                                    ('material', split_part(name, ' ', 2))) s (key, value);

INSERT INTO shop.product_reviews (product_id, user_id, rating, title, comment, verified_purchase)
SELECT demo.uuid('product', 1 + demo.number(n, 'product', 3000)), demo.uuid('user', 1 + demo.number(n, 'reviewer', 2000)),
       1 + greatest(demo.number(n, 'stars', 5), demo.number(n, 'more stars', 5)), demo.word('review', n, 'title'),
       demo.text('review', n, 2), n % 3 <> 0
FROM generate_series(1, 4000) n
ON CONFLICT DO NOTHING;

BEGIN;
\copy shop.orders (id, order_number, user_id, status, subtotal, shipping_cost, tax, total, shipping_address, billing_address, payment_method, created_at) from 'orders.csv' (format csv)
INSERT INTO shop.order_items (order_id, product_id, product_name, product_sku, quantity, unit_price, subtotal)
SELECT demo.uuid('order', n), p.id, p.name, p.sku, q, p.price, q * p.price
FROM generate_series(1, 4000) n, generate_series(1, 1 + demo.number(n, 'items', 4)) i,
     LATERAL (SELECT 1 + demo.number(n, 'quantity' || i, 3)) w (q), shop.products p
WHERE p.id = demo.uuid('product', 1 + demo.number(n, 'item' || i, 3000));
UPDATE shop.orders o
SET subtotal = s.subtotal, tax = round(s.subtotal * 0.2, 2), total = s.subtotal + round(s.subtotal * 0.2, 2) + shipping_cost
FROM (SELECT order_id, sum(subtotal) FROM shop.order_items GROUP BY 1) s (order_id, subtotal)
WHERE s.order_id = o.id;
INSERT INTO shop.order_status_history (order_id, status, created_at) SELECT id, 'pending', created_at FROM shop.orders;
COMMIT;

INSERT INTO shop.shopping_carts (user_id, items)
SELECT demo.uuid('user', n), jsonb_build_array(jsonb_build_object('sku', p.sku, 'quantity', 1 + n % 3))
FROM generate_series(1, 600) n, shop.products p
WHERE p.id = demo.uuid('product', 1 + demo.number(n, 'cart', 3000));

