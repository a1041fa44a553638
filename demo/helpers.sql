-- What the other files need: repeatable picks from the pools of words, and the checks that make the demo fail.

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

CREATE FUNCTION demo.word(pool text, n bigint, salt text DEFAULT '') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT demo.pick(words, n, pool || salt) FROM demo.pools WHERE name = pool);

CREATE FUNCTION demo.text(pool text, n bigint, sentences int) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT string_agg(words[1 + (demo.number(n, pool, cardinality(words)) + 3 * i) % cardinality(words)],
                          CASE i % 5 WHEN 0 THEN E'\n\n' ELSE ' ' END ORDER BY i)
        FROM demo.pools, generate_series(1, sentences) i WHERE name = pool);

-- Sentences of several pools, each once; the more of a pool's are left out, the later it is named.
CREATE FUNCTION demo.essay(of text[], n bigint, sentences int) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT string_agg(word, CASE place % 5 WHEN 0 THEN E'\n\n' ELSE ' ' END ORDER BY place)
        FROM (SELECT word, row_number() OVER (ORDER BY demo.number(n, word, 1000) * array_position(of, name) ^ 2) - 1 AS place
              FROM demo.pools, unnest(words) word WHERE name = ANY (of)) w
        WHERE place < sentences);

CREATE FUNCTION demo.address(n bigint) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT jsonb_build_object('name', demo.word('first', n) || ' ' || demo.word('last', n),
                                  'street', demo.word('street', n) || ' ' || 1 + demo.number(n, 'house', 180),
                                  'city', split_part(c, '|', 1), 'country', split_part(c, '|', 2),
                                  'zip', lpad(demo.number(n, 'zip', 99999)::text, 5, '0'))
        FROM demo.word('city', n) c);

GRANT SELECT ON demo.pools TO app;
