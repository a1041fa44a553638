-- A session that changes many rows keeps nothing of them: neither in one statement, nor in many, nor of errors.
SET client_min_messages = error;

CREATE SCHEMA upkeep_memory;
-- Without an index: for the lock of a row that a BEFORE trigger is to see, the server itself copies the list of the key's
-- columns, for each row anew, into memory that lasts as long as the statement.
CREATE TABLE upkeep_memory.t (id integer, n integer, a text, nothing text, u name, tenant integer DEFAULT 1,
    changed_at timestamptz, seen_at timestamp(0), version bigint DEFAULT 1);
CREATE TABLE upkeep_memory.e (id integer, a text);
DO $$
BEGIN
    PERFORM steward.updated_at_enable('upkeep_memory.t', 'changed_at', by => 'u', ignore => '{a}', keep => '{tenant}'),
            steward.updated_at_enable('upkeep_memory.t', 'seen_at', clock => 'wall'),
            steward.row_version_enable('upkeep_memory.t'),
            steward.append_only_enable('upkeep_memory.e');
    PERFORM steward.append_only_enable('upkeep_memory.e', ARRAY[current_user]);
END $$;

-- The most that all memory of the session has been while a statement's rows are counted by a trigger, above what it was at first.
CREATE TABLE upkeep_memory.peak (first bigint, most bigint);
INSERT INTO upkeep_memory.peak VALUES (NULL, 0);
CREATE FUNCTION upkeep_memory.look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id % 10000 = 0 THEN
        UPDATE upkeep_memory.peak SET first = coalesce(first, used), most = greatest(most, used - coalesce(first, used))
          FROM (SELECT sum(total_bytes) AS used FROM pg_backend_memory_contexts) m;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER zz_look BEFORE UPDATE ON upkeep_memory.t FOR EACH ROW EXECUTE FUNCTION upkeep_memory.look();
INSERT INTO upkeep_memory.t (id, n, a) SELECT id, 0, repeat('a', 100) FROM generate_series(1, 150000) id;
UPDATE upkeep_memory.t SET n = n + 1, tenant = 2, nothing = 'x' WHERE id <= 20000;
UPDATE upkeep_memory.t SET n = n + 1, tenant = 2, nothing = 'x', u = NULL;
UPDATE upkeep_memory.t SET n = n, nothing = NULL, a = a || 'b', version = version;
SELECT most < 1000000 AS nothing_stays_of_rows, first IS NOT NULL AS looked FROM upkeep_memory.peak;
CREATE INDEX ON upkeep_memory.t (id);
SELECT min(tenant) = 1 AND max(tenant) = 1 AS kept, count(*) FILTER (WHERE u = current_user) AS named, min(version), max(version) FROM upkeep_memory.t;
DROP TRIGGER zz_look ON upkeep_memory.t;

-- What a call added to the session's memory, in a second run, when all caches are warm.
CREATE PROCEDURE upkeep_memory.measure(what text, command text) LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    added bigint;
BEGIN
    EXECUTE command;
    COMMIT;
    before := (SELECT sum(total_bytes) FROM pg_backend_memory_contexts);
    EXECUTE command;
    COMMIT;
    added := (SELECT sum(total_bytes) FROM pg_backend_memory_contexts) - before;
    RAISE INFO '%: %', what, CASE WHEN added > 500000 THEN added || ' bytes' ELSE 'nothing stays' END;
END $$;
CREATE PROCEDURE upkeep_memory.updates(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        UPDATE upkeep_memory.t SET n = n + 1, tenant = i WHERE id = 1 + i % 1000;
    END LOOP;
END $$;
CREATE PROCEDURE upkeep_memory.failures(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        BEGIN
            UPDATE upkeep_memory.t SET n = n + 1, version = -5 WHERE id = 1 + i % 1000;
        EXCEPTION WHEN serialization_failure THEN NULL;
        END;
        BEGIN
            TRUNCATE upkeep_memory.e;
            DELETE FROM upkeep_memory.e;
            RAISE division_by_zero;
        EXCEPTION WHEN insufficient_privilege OR division_by_zero THEN NULL;
        END;
    END LOOP;
END $$;
CREATE PROCEDURE upkeep_memory.attach(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        PERFORM steward.updated_at_enable('upkeep_memory.t', 'seen_at', clock => CASE i % 2 WHEN 0 THEN 'wall' ELSE 'statement' END);
        UPDATE upkeep_memory.t SET n = n + 1 WHERE id = 1;
    END LOOP;
END $$;
CALL upkeep_memory.measure('single updates', 'CALL upkeep_memory.updates(20000)');
CALL upkeep_memory.measure('errors', 'CALL upkeep_memory.failures(2000)');
CALL upkeep_memory.measure('triggers that change', 'CALL upkeep_memory.attach(100)');
CALL upkeep_memory.measure('ids', 'SELECT count(DISTINCT steward.uuidv7()) FROM generate_series(1, 100000)');
INSERT INTO upkeep_memory.e SELECT n, repeat('e', 100) FROM generate_series(1, 100000) n;
CALL upkeep_memory.measure('rows of an append-only table', 'UPDATE upkeep_memory.e SET a = a || ''x''');

DROP SCHEMA upkeep_memory CASCADE;
