-- The audit module: what the planner knows of the log, and the ways to search it.
SET client_min_messages = error;
SET timezone = 'UTC';
CREATE SCHEMA audit_reading;
SET search_path = audit_reading, public;

--
-- Changed columns, as the two versions of the row are written
--

SELECT v.n AS place, steward_internal.audit_changed_columns(t.operation, t.was, t.is_now)
  FROM (VALUES (1, 'U', '{"a": 1}', '{"a": 2}'),
               (2, 'U', '{"a": 1, "bb": 2, "B": 3}', '{"a": 1, "bb": 3, "B": 4}'),   -- by bytes, not as jsonb has them
               (3, 'U', '{"n": 1.0}', '{"n": 1.00}'),
               (4, 'U', '{"n": 1.0, "s": "1", "t": true, "x": null, "j": [1, {"k": "v"}]}', '{"n": 1.0, "s": "1", "t": true, "x": null, "j": [1, {"k": "v"}]}'),
               (5, 'U', '{"j": [1, {"k": "v"}]}', '{"j": [1, {"k": "V"}]}'),
               (6, 'U', '{"j": {"k": 1.0}}', '{"j": {"k": 1.00}}'),
               (7, 'U', '{"n": 1}', '{"n": "1"}'),
               (8, 'U', '{"x": null}', '{"x": 1}'),
               (9, 'U', '{"x": 1}', '{"x": null}'),
               (10, 'U', '{}', '{"x": null}'),
               (11, 'U', NULL, '{"x": 1, "": 2}'),
               (12, 'U', NULL, NULL),
               (13, 'U', '{}', '{}'),
               (14, 'I', NULL, '{"x": 1}'),
               (15, 'D', '{"x": 1}', NULL),
               (16, 'T', NULL, NULL)) AS v(n, operation, was, is_now),
       LATERAL (SELECT v.operation::"char", v.was::jsonb, v.is_now::jsonb) AS t(operation, was, is_now)
 ORDER BY v.n;
SELECT o AS stored, steward_internal.audit_operation(o) FROM unnest('{I,U,D,T,X}'::"char"[]) AS o;

--
-- The planner's estimates, on a log that has been analyzed
--

CREATE TABLE t (id integer PRIMARY KEY, status text, total integer, note text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_reading.t'); END $$;
INSERT INTO t SELECT n, 'new', n, 'n' FROM generate_series(1, 1000) n;
UPDATE t SET total = total + 1;
UPDATE t SET total = total + 1, note = note || id;
UPDATE t SET status = 'paid' WHERE id <= 300;
DELETE FROM t WHERE id > 900;
ANALYZE steward.audit_events;

-- Returns the factor by which the planner's number of rows is wrong.
CREATE FUNCTION estimate_off_by(condition text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    plan json;
    estimated numeric;
    found numeric;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT FROM steward.audit_entries WHERE ' || condition INTO plan;
    EXECUTE 'SELECT count(*) FROM steward.audit_entries WHERE ' || condition INTO found;
    estimated := plan -> 0 -> 'Plan' ->> 'Plan Rows';
    RETURN round(greatest(estimated / found, found / estimated), 1);
END $$;
SELECT condition, estimate_off_by(condition) <= 2 AS is_close
  FROM unnest(ARRAY[
       $$operation = 'INSERT'$$,
       $$operation = 'UPDATE'$$,
       $$operation = 'DELETE'$$,
       $$operation IN ('INSERT', 'DELETE')$$,
       $$operation <> 'UPDATE'$$,
       $$'status' = ANY (changed_columns)$$,
       $$'total' = ANY (changed_columns)$$,
       $$changed_columns @> '{note}'$$,
       $$changed_columns && '{status,note}'$$,
       $$changed_columns = '{total}'$$,
       $$changed_columns IS NULL$$]) AS condition;
DROP SCHEMA audit_reading CASCADE;
