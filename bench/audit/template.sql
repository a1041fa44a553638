-- The tables of the audit benchmark, made once; every turn gets a copy of this
-- database. What is inserted in a timed statement lies ready in schema source,
-- so that the statement pays for the insert and not for inventing the rows.
CREATE SCHEMA source;

-- In the spirit of the users table that the usual tutorials audit.
CREATE TABLE users (
  id bigserial PRIMARY KEY,
  email varchar(255) NOT NULL UNIQUE,
  username varchar(50) NOT NULL,
  name text NOT NULL,
  role text NOT NULL DEFAULT 'user',
  is_active boolean NOT NULL DEFAULT true,
  bio text,
  preferences jsonb NOT NULL DEFAULT '{}',
  tags text[],
  login_count integer NOT NULL DEFAULT 0,
  score numeric(10,2),
  last_login timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);

CREATE TABLE source.users AS
SELECT i::bigint AS id,
       'user' || i || '@example.com' AS email,
       'user' || i AS username,
       'Forename Surname ' || i AS name,
       (ARRAY['user', 'editor', 'admin'])[1 + i % 3] AS role,
       i % 10 <> 0 AS is_active,
       'Interested in ' || md5(i::text) || ' and in ' || md5((i + 1)::text) AS bio,
       jsonb_build_object('theme', 'dark', 'language', 'en', 'page_size', i % 100,
                          'notifications', jsonb_build_object('email', true, 'sms', false)) AS preferences,
       ARRAY['tag' || i % 17, 'tag' || i % 23] AS tags,
       i % 1000 AS login_count,
       round(i / 7.0, 2)::numeric(10,2) AS score,
       timestamptz '2024-06-01' + i * interval '1 second' AS last_login,
       timestamptz '2023-01-01' + i * interval '1 minute' AS created_at,
       timestamptz '2024-01-01' + i * interval '1 minute' AS updated_at,
       NULL::timestamptz AS deleted_at
FROM generate_series(1, :rows) i;

CREATE TABLE narrow (id bigint PRIMARY KEY, v integer NOT NULL);

CREATE TABLE arrays (id bigint PRIMARY KEY, numbers integer[] NOT NULL, tags text[] NOT NULL);

CREATE TABLE source.arrays AS
SELECT i::bigint AS id,
       ARRAY(SELECT (i + n * 7919) % 1000000 FROM generate_series(1, 10) n) AS numbers,
       ARRAY['tag' || i % 17, 'tag' || i % 23, 'tag' || i % 29] AS tags
FROM generate_series(1, :rows) i;

-- 60 columns: the key and 59 of five types. v is the one that is updated.
SELECT 'CREATE TABLE wide (id bigint PRIMARY KEY, v integer, '
       || string_agg(format('c%s %s', i, (ARRAY['integer', 'text', 'numeric(12,2)', 'timestamptz', 'boolean'])[1 + i % 5]), ', ' ORDER BY i)
       || ')'
FROM generate_series(3, 60) i
\gexec

-- v changes and body, about 20 kB that do not compress, stays where it is.
CREATE TABLE toasted (id bigint PRIMARY KEY, v integer NOT NULL, body text NOT NULL);

SELECT format('COMMENT ON TABLE %I IS ''bench''', relname)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
\gexec
VACUUM source.users, source.arrays;
