-- Writes the files that the application loads with COPY into the current directory. Same content on every run.

COPY (
  SELECT demo.uuid('user', n), lower(translate(f || '.' || l, ' ''óö', '')) || n || '@example.' ||
         demo.pick('{com,org,net}', n, 'tld'), f || ' ' || l,
         CASE WHEN n % 400 = 1 THEN 'admin' WHEN n % 90 = 2 THEN 'moderator' ELSE 'user' END, n % 29 <> 0,
         jsonb_build_object('theme', demo.pick('{light,dark,system}', n, 'theme'),
                            'language', demo.pick('{en,de,fr,pt,es}', n, 'language'),
                            'notifications', jsonb_build_object('email', n % 3 <> 0, 'push', n % 2 = 0)),
         ARRAY[demo.word('topic', n, 'a'), demo.word('topic', n, 'b')],
         timestamptz '2024-01-01 08:00+00' + n * interval '7 hours 13 minutes'
  FROM generate_series(1, 2000) n, demo.word('first', n) f, demo.word('last', n) l
) TO STDOUT (FORMAT csv) \g users.csv

COPY (
  SELECT demo.uuid('post', n), upper(left(title, 1)) || substr(title, 2),
         demo.essay(ARRAY['about ' || t, 'about ' || u, 'sentence'], n, 3 + demo.number(n, 'length', 18)),
         n % 6 <> 0, demo.number(n, 'views', 9000), demo.uuid('user', 1 + demo.number(n, 'author', 400)),
         jsonb_build_object('reading_minutes', 1 + demo.number(n, 'length', 18) / 5, 'source', demo.pick('{web,api,import}', n, 's')),
         ARRAY[t, u], timestamptz '2024-06-01 09:00+00' + n * interval '3 hours 7 minutes'
  FROM generate_series(1, 3000) n, demo.word('topic', n, 'a') t, demo.word('topic', n, 'b') u, format(demo.word('title', n), t) title
) TO STDOUT (FORMAT csv) \g posts.csv

COPY (
  SELECT demo.uuid('product', n), concat_ws(' ', trait, material, t.name),
         concat_ws(' ', p.promise, t.about, 'In ' || demo.word('color', n) || '.'),
         demo.text('review', n, 8), demo.uuid('category', 7 + 2 * department + n % 2),
         upper(left(translate(t.name, ' ''', ''), 4)) || '-' || lpad(n::text, 5, '0'),
         5 + demo.number(n, 'price', 24000) / 100.0, demo.number(n, 'stock', 400),
         ARRAY[lower(d.words[department]), lower(material), lower(trait)]
  FROM generate_series(1, 3000) n JOIN demo.things t ON t.thing = 1 + demo.number(n, 'thing', 24),
       demo.pick(traits, n, 'trait') trait, demo.pick(materials, n, 'material') material,
       demo.traits p, demo.pools d
  WHERE p.name = trait AND d.name = 'department'
) TO STDOUT (FORMAT csv) \g products.csv

COPY (
  SELECT demo.uuid('image' || i, n), demo.uuid('product', n), format('https://img.example.com/%s/%s.webp', n, i),
         'Picture ' || i, i = 1, i
  FROM generate_series(1, 3000) n, generate_series(1, 2) i
) TO STDOUT (FORMAT csv) \g product_images.csv

COPY (
  SELECT demo.uuid('order', n), 'ORD-2025-' || lpad(n::text, 6, '0'), demo.uuid('user', customer), 'pending', 0,
         CASE WHEN n % 4 = 0 THEN 0 ELSE 4.90 END, 0, 0, demo.address(customer), demo.address(customer),
         demo.pick('{credit_card,credit_card,paypal,bank_transfer}', n, 'payment'),
         timestamp '2025-01-01 00:00' + n * interval '1 hour 19 minutes'
  FROM generate_series(1, 4000) n, LATERAL (SELECT 1 + demo.number(n, 'customer', 2000)) c (customer)
) TO STDOUT (FORMAT csv) \g orders.csv
