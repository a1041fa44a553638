-- A session that writes a great deal keeps nothing of it: neither for each
-- statement, nor for each row of one, nor for each context, savepoint or error.
SET client_min_messages = error;

CREATE SCHEMA audit_memory;
CREATE TABLE audit_memory.t (id integer PRIMARY KEY, n integer, a text, d timestamptz DEFAULT now(), f numeric DEFAULT 1.5, j jsonb DEFAULT '{"a": [1, 2]}', e text[] DEFAULT '{x,y}');
CREATE TABLE audit_memory.keyless (n integer, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_memory.t'), steward.audit_enable('audit_memory.keyless', capture => 'full'); END $$;

-- What a call added to the session's memory, in a second run, when all caches are warm;
-- plans and what belongs to us are counted, everything is summed.
CREATE FUNCTION audit_memory.used(OUT total bigint, OUT ours bigint, OUT plans bigint) LANGUAGE sql AS $$
SELECT sum(total_bytes), coalesce(sum(total_bytes) FILTER (WHERE name ~ 'audit|steward'), 0), count(*) FILTER (WHERE name LIKE 'CachedPlan%')
  FROM pg_backend_memory_contexts
$$;
CREATE PROCEDURE audit_memory.measure(what text, warm_up text, command text) LANGUAGE plpgsql AS $$
DECLARE
    before record;
    after record;
BEGIN
    EXECUTE warm_up;
    COMMIT;
    EXECUTE warm_up;
    COMMIT;
    SELECT * INTO before FROM audit_memory.used();
    EXECUTE command;
    COMMIT;
    SELECT * INTO after FROM audit_memory.used();
    IF after.total - before.total > 1000000 OR after.ours - before.ours > 100000 OR after.plans > before.plans + 10 THEN
        RAISE INFO '%: % bytes, % of them ours, % plans more', what, after.total - before.total, after.ours - before.ours, after.plans - before.plans;
    ELSE
        RAISE INFO '%: nothing stays', what;
    END IF;
END $$;
-- Loops of single statements, as one command.
CREATE PROCEDURE audit_memory.inserts(first integer, last integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN first..last LOOP
        INSERT INTO audit_memory.t (id, n, a) VALUES (i, 0, 'a');
    END LOOP;
END $$;
CREATE PROCEDURE audit_memory.updates(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        UPDATE audit_memory.t SET n = n + 1, a = 'b' || i WHERE id = 1 + i % 1000;
    END LOOP;
END $$;
CREATE PROCEDURE audit_memory.savepoints(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        BEGIN
            UPDATE audit_memory.t SET n = n + 1 WHERE id = 1;
            INSERT INTO audit_memory.keyless VALUES (i, 'x');
            IF i % 2 = 0 THEN
                PERFORM 1 / 0;
            END IF;
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
    END LOOP;
END $$;
CREATE PROCEDURE audit_memory.commits(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        UPDATE audit_memory.t SET n = n + 1 WHERE id = 1;
        IF i % 5 = 0 THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
    END LOOP;
END $$;
CREATE PROCEDURE audit_memory.contexts(times integer, who text) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        PERFORM set_config('app.current_user_id', who || i, true);
        UPDATE audit_memory.t SET n = n + 1 WHERE id = 1;
    END LOOP;
END $$;
CREATE PROCEDURE audit_memory.malformed(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        PERFORM set_config('app.client_ip', 'nowhere ' || i % 1500, true);
        UPDATE audit_memory.t SET n = n + 1 WHERE id = 1;
    END LOOP;
END $$;
-- A row trigger that writes to another audited table, so that statements nest.
CREATE FUNCTION audit_memory.nested() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_memory.keyless VALUES (NEW.n, NEW.a);
    RETURN NULL;
END $$;

CALL audit_memory.measure('single INSERTs', 'CALL audit_memory.inserts(1, 1000); DELETE FROM audit_memory.t', 'CALL audit_memory.inserts(1, 20000)');
CALL audit_memory.measure('single UPDATEs', 'CALL audit_memory.updates(1000)', 'CALL audit_memory.updates(30000)');
CALL audit_memory.measure('one large UPDATE', 'UPDATE audit_memory.t SET n = n + 1 WHERE id <= 2000', 'UPDATE audit_memory.t SET n = n + 1, a = a || a');
CALL audit_memory.measure('one large INSERT', 'INSERT INTO audit_memory.keyless SELECT n, repeat(''x'', 100) FROM generate_series(1, 2000) n',
                          'INSERT INTO audit_memory.keyless SELECT n, repeat(''x'', 100) FROM generate_series(1, 20000) n');
CALL audit_memory.measure('one large DELETE', 'DELETE FROM audit_memory.keyless WHERE n <= 2000', 'DELETE FROM audit_memory.keyless');
CALL audit_memory.measure('savepoints', 'CALL audit_memory.savepoints(500)', 'CALL audit_memory.savepoints(5000)');
CALL audit_memory.measure('rows of a megabyte', 'UPDATE audit_memory.t SET a = repeat(''y'', 1000000) WHERE id <= 3', 'UPDATE audit_memory.t SET a = repeat(''z'', 1000000) WHERE id <= 20');
CREATE TRIGGER nested AFTER UPDATE ON audit_memory.t FOR EACH ROW EXECUTE FUNCTION audit_memory.nested();
CALL audit_memory.measure('nested statements', 'UPDATE audit_memory.t SET n = n + 1 WHERE id BETWEEN 100 AND 500', 'UPDATE audit_memory.t SET n = n + 1 WHERE id BETWEEN 100 AND 5000');
DROP TRIGGER nested ON audit_memory.t;
CALL audit_memory.measure('contexts', 'CALL audit_memory.contexts(1500, ''first '')', 'CALL audit_memory.contexts(5000, ''second '')');
CALL audit_memory.measure('malformed settings', 'CALL audit_memory.malformed(1500)', 'CALL audit_memory.malformed(3000)');

-- transactions of their own, measured from outside
CALL audit_memory.commits(500);
SELECT total AS before FROM audit_memory.used() \gset
CALL audit_memory.commits(5000);
SELECT total - :before < 1000000 AS nothing_stays_of_transactions FROM audit_memory.used();
-- definitions that change all the time
CREATE PROCEDURE audit_memory.changes(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        ALTER TABLE audit_memory.t ALTER n SET STATISTICS 100;
        UPDATE audit_memory.t SET n = n + 1 WHERE id = 1;
        COMMIT;
    END LOOP;
END $$;
CALL audit_memory.changes(100);
SELECT ours AS before FROM audit_memory.used() \gset
CALL audit_memory.changes(500);
SELECT ours - :before < 100000 AS nothing_stays_of_changes FROM audit_memory.used();
-- errors at the worst moments
DO $$
BEGIN
    FOR i IN 1..2000 LOOP
        BEGIN
            INSERT INTO audit_memory.t (id, n) SELECT n, n FROM generate_series(100001, 100050) n UNION ALL SELECT 1, 1;
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
    END LOOP;
END $$;
SELECT total AS before FROM audit_memory.used() \gset
DO $$
BEGIN
    FOR i IN 1..2000 LOOP
        BEGIN
            INSERT INTO audit_memory.t (id, n) SELECT n, n FROM generate_series(100001, 100050) n UNION ALL SELECT 1, 1;
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
    END LOOP;
END $$;
SELECT total - :before < 1000000 AS nothing_stays_of_errors FROM audit_memory.used();

DROP SCHEMA audit_memory CASCADE;
