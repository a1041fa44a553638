-- What the other files need: pools of words, repeatable picks from them, and the checks that make the demo fail.

CREATE SCHEMA demo;
GRANT USAGE ON SCHEMA demo TO app, migrator;

-- The n-th number below limit of the series named by salt: the same on every machine and every run.
CREATE FUNCTION demo.number(n bigint, salt text, below int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(n, hashtextextended(salt, 0)) & 2147483647) % below;

CREATE FUNCTION demo.pick(pool text[], n bigint, salt text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pool[1 + demo.number(n, salt, cardinality(pool))];

CREATE FUNCTION demo.uuid(kind text, n bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(kind || n)::uuid;

-- Ends the demo with an error unless what it promises is so; counts what held.
CREATE SEQUENCE demo.checks;
CREATE FUNCTION demo.check(holds boolean, promise text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF holds IS NOT TRUE THEN
    RAISE EXCEPTION 'the demo does not hold: %', promise;
  END IF;
  PERFORM nextval('demo.checks');
END
$$;

-- Runs a command as the caller and tells how the server answered it; whatever it did is undone.
CREATE FUNCTION demo.attempt(command text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE command;
  RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = 'allowed';
EXCEPTION WHEN OTHERS THEN
  RETURN CASE WHEN SQLSTATE = 'ZZ000' THEN 'allowed' ELSE SQLSTATE || ' ' || SQLERRM END;
END
$$;

-- An UPDATE's two sides as "column: old -> new", one line each; of a jsonb object only the keys that differ.
CREATE FUNCTION demo.changes(old_values jsonb, new_values jsonb, width int) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT string_agg(format('%s: %s -> %s', c.name, coalesce(left(c.o, width), '(null)'), coalesce(left(c.n, width), '(null)')),
                          E'\n' ORDER BY c.name)
        FROM jsonb_object_keys(old_values || new_values) k,
             LATERAL (SELECT old_values -> k, new_values -> k) v (o, n),
             LATERAL (SELECT k, old_values ->> k, new_values ->> k
                      WHERE (jsonb_typeof(v.o) = 'object' AND jsonb_typeof(v.n) = 'object') IS NOT TRUE
                      UNION ALL
                      SELECT k || '.' || i, v.o ->> i, v.n ->> i
                      FROM jsonb_object_keys(CASE WHEN jsonb_typeof(v.o) = 'object' AND jsonb_typeof(v.n) = 'object'
                                                  THEN v.o || v.n END) i
                      WHERE v.o -> i IS DISTINCT FROM v.n -> i) c (name, o, n));

-- Breaks a text at blanks into lines of at most width characters.
CREATE FUNCTION demo.fold(body text, width int) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN rtrim(regexp_replace(body, format('(.{1,%s})(\s+|$)', width), E'\\1\n', 'g'), E'\n');

-- Lays one event's values over the row built so far; NULL once the row is deleted.
CREATE FUNCTION demo.lay(so_far jsonb, new_values jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN new_values IS NOT NULL THEN coalesce(so_far, '{}') || new_values END;
CREATE AGGREGATE demo.row_from_events(jsonb) (SFUNC = demo.lay, STYPE = jsonb);

-- Builds every row of a table from its events alone and compares it with the row itself; rows the log knows and
-- the table does not are "extra".
CREATE FUNCTION demo.rebuild(rel regclass, hidden text[])
RETURNS TABLE ("table" text, "rows" bigint, events bigint, identical bigint, extra bigint)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'WITH log AS (
       SELECT * FROM steward.audit_log WHERE table_schema = %2$L AND table_name = %3$L),
     emptied AS (
       SELECT max(created_at) AS at FROM log WHERE operation = ''TRUNCATE''),
     built AS (
       SELECT record_id, demo.row_from_events(new_values ORDER BY created_at, transaction_id, seq) AS r
       FROM log, emptied WHERE emptied.at IS NULL OR created_at > emptied.at GROUP BY record_id)
     SELECT %1$L::text, count(t), (SELECT count(*) FROM log),
            count(*) FILTER (WHERE to_jsonb(t) - $1 = to_jsonb(jsonb_populate_record(NULL::%1$s, r)) - $1),
            count(*) FILTER (WHERE t IS NULL)
     FROM %1$s t FULL JOIN (SELECT * FROM built WHERE r IS NOT NULL) b ON b.record_id = t.id::text',
    rel, (SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = rel),
    (SELECT relname FROM pg_class WHERE oid = rel)) USING hidden;
END
$$;

CREATE TABLE demo.pools (name text PRIMARY KEY, words text[] NOT NULL);
INSERT INTO demo.pools VALUES
('first', '{Ada,Aisha,Alejandro,Amelia,Anika,Arjun,Astrid,Bao,Beatriz,Camille,Carlos,Chiara,Chidi,Daniel,Dmitri,Elena,
  Emre,Fatima,Felix,Freya,Gabriel,Grace,Hana,Hassan,Henrik,Imani,Ines,Isaac,Ivana,Jakub,Jin,Joana,Kaito,Karim,Katarina,
  Kofi,Lars,Leila,Liam,Lucia,Magnus,Maja,Mateo,Mei,Mikhail,Nadia,Noah,Nora,Olivia,Omar,Paloma,Petra,Priya,Rafael,Rosa,
  Samir,Sanna,Sofia,Tomasz,Yusuf}'),
('last', '{Abara,Adeyemi,Almeida,Andersson,Bauer,Bianchi,Bose,Brown,Castillo,Chen,Costa,Dubois,Eriksen,Fernandes,Fischer,
  Garcia,Gupta,Haddad,Hansen,Hernandez,Hoffmann,Horvat,Ivanova,Jensen,Johnson,Kaya,Khan,Kim,Kowalski,Kumar,Larsen,Lee,
  Lindqvist,Lopez,Martin,Meyer,Moreau,Nakamura,Nguyen,Novak,O''Brien,Okafor,Olsen,Park,Patel,Pereira,Petrov,Rossi,
  Sahin,Santos,Sato,Schmidt,Silva,Singh,Smith,Suzuki,Tanaka,Torres,Virtanen,Walker,Weber,Wilson,Wójcik,Yilmaz,Zhang}'),
('city', '{"Lisboa|PT","Porto|PT","Madrid|ES","Lyon|FR","Nantes|FR","Gent|BE","Utrecht|NL","Köln|DE","Leipzig|DE",
  "Graz|AT","Brno|CZ","Kraków|PL","Århus|DK","Malmö|SE","Bergen|NO","Tampere|FI","Tartu|EE","Cork|IE","Leeds|GB",
  "Torino|IT","Split|HR","Izmir|TR","Patras|GR","Austin|US","Portland|US","Halifax|CA"}'),
('street', '{Station Road,Mill Lane,Church Street,Harbour View,Linden Avenue,Market Square,Old Post Road,Orchard Close,
  River Walk,School Lane,Tower Street,Victoria Road,Windmill Way}'),
('material', '{Oak,Walnut,Bamboo,Steel,Copper,Brass,Aluminium,Linen,Wool,Cotton,Leather,Cork,Glass,Ceramic,Slate,Titanium}'),
('trait', '{Compact,Foldable,Heavy-Duty,Silent,Classic,Lightweight,Modular,Waterproof,Insulated,Adjustable,Portable,Slim}'),
('thing', '{Desk Lamp,Water Bottle,Backpack,Cutting Board,Coffee Grinder,Bookshelf,Office Chair,Travel Mug,Notebook,
  Wall Clock,Bicycle Bell,Tool Roll,Camping Stove,Blanket,Chef''s Knife,Teapot,Umbrella,Headphones,Keyboard,Plant Pot,
  Picture Frame,Storage Box,Yoga Mat,Lunch Box}'),
('color', '{black,white,graphite,sand,forest green,navy,rust,sky blue}'),
('topic', '{postgres,indexing,replication,backup,vacuum,json,security,performance,migrations,testing,deployments,python}'),
('title', '{What nobody tells you about %s,A field guide to %s,%s in production: a year later,How we stopped worrying
  about %s,Five mistakes we made with %s,%s from first principles,The hidden cost of %s,A small tool for %s,
  Notes on %s for the impatient,Why %s broke on a Friday}'),
('sentence', ARRAY[
  'The first thing we measured was the time a request spent waiting for a connection, and it was most of it.',
  'Nobody had looked at that table since the team that wrote it moved on.',
  'We wrote the migration twice: once the way we would have liked it, and once the way the locks allowed.',
  'It is tempting to add an index for every slow query, until the writes become the slow query.',
  'A backup that has never been restored is a hope, not a backup.',
  'The plan had been fine for months; then the statistics changed and so did the join order.',
  'What saved us was a boring habit of writing down every change before making it.',
  'If you remember one number from this post, let it be the length of your longest transaction.',
  'We moved the check into a constraint, deleted two hundred lines of code and slept better.',
  'The dashboard said everything was green, because the dashboard had stopped on Tuesday.',
  'Dead rows are not free: somebody has to read past them until vacuum gets its turn.',
  'In the end the fix was one line, and finding the line took a week.',
  'There is a setting for that, and its default was chosen when disks had moving parts.',
  'Our rule since then: no deployment without a way back that somebody has tried.',
  'The replica was only a second behind, which turned out to be exactly one second too much.',
  'Readers asked for the script, so here it is, with the parts we are ashamed of left in.']),
('comment', ARRAY[
  'Thanks, this is exactly what I was looking for.', 'Have you tried this on a table with more than a billion rows?',
  'We hit the same problem last spring and ended up with almost the same answer.',
  'I do not agree with the second half, but the measurements are convincing.',
  'The link in the third paragraph is dead.', 'Could you share the configuration you used?',
  'This should be in the documentation.', 'Minor point: the default changed two versions ago.',
  'I ran it on our staging system and got twice the speed-up you did.', 'Great write-up. More of these, please!']),
('review', ARRAY[
  'Exactly as described, arrived two days early.', 'Solid build, though the colour is darker than in the pictures.',
  'Bought a second one for the office.', 'Stopped working after three weeks, refund was quick.',
  'Good value for the price.', 'A little smaller than I expected, check the measurements.',
  'My favourite purchase this year.', 'Does the job, nothing more.']);
UPDATE demo.pools SET words = (SELECT array_agg(regexp_replace(w, '\s+', ' ', 'g') ORDER BY i)
                               FROM unnest(words) WITH ORDINALITY u(w, i));

CREATE FUNCTION demo.word(pool text, n bigint, salt text DEFAULT '') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT demo.pick(words, n, pool || salt) FROM demo.pools WHERE name = pool);

CREATE FUNCTION demo.text(pool text, n bigint, sentences int) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT string_agg(words[1 + (demo.number(n, pool, cardinality(words)) + 3 * i) % cardinality(words)],
                          CASE i % 5 WHEN 0 THEN E'\n\n' ELSE ' ' END ORDER BY i)
        FROM demo.pools, generate_series(1, sentences) i WHERE name = pool);

CREATE FUNCTION demo.address(n bigint) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT jsonb_build_object('name', demo.word('first', n) || ' ' || demo.word('last', n),
                                  'street', demo.word('street', n) || ' ' || 1 + demo.number(n, 'house', 180),
                                  'city', split_part(c, '|', 1), 'country', split_part(c, '|', 2),
                                  'zip', lpad(demo.number(n, 'zip', 99999)::text, 5, '0'))
        FROM demo.word('city', n) c);

GRANT SELECT ON demo.pools TO app;
