-- A budget of 1.05 asks for more than turns that follow each other: so each
-- query runs under the policy and with an explicit WHERE by turns, in one
-- session, and the ratio is the median of pairs. %s in a query stands for the
-- condition. Where there is no policy, both are the same: that is the noise.
-- "own" is what a query under the policy has instead of the condition.

-- Turns to the role that the policies are for, or away from it, and returns
-- the query that it takes to see the tenant's rows.
CREATE FUNCTION pg_temp.as_role(query text, condition text, explicit boolean, own text DEFAULT 'true') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  bare boolean := NOT explicit AND EXISTS (SELECT FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid AND c.relnamespace = 'public'::regnamespace);
BEGIN
  PERFORM set_config('role', CASE WHEN bare THEN 'bench_app' ELSE 'none' END, true);
  RETURN format(query, CASE WHEN bare THEN own ELSE condition END);
END
$$;

-- Returns how many microseconds a query takes, planning included. "before" is
-- done before and not timed.
CREATE FUNCTION pg_temp.timed(query text, condition text, explicit boolean, calls integer DEFAULT 1, before text DEFAULT NULL, own text DEFAULT 'true')
RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  statement text;
  began timestamptz;
  ended timestamptz;
BEGIN
  IF before IS NOT NULL THEN EXECUTE before; END IF;
  statement := pg_temp.as_role(query, condition, explicit, own);
  began := clock_timestamp();
  FOR i IN 1 .. calls LOOP EXECUTE statement; END LOOP;
  ended := clock_timestamp();
  PERFORM set_config('role', 'none', true);
  RETURN 1000000 * extract(epoch FROM ended - began) / calls;
END
$$;

-- Raises an error if the tenant does not see what he sees with an explicit
-- WHERE: there would be nothing to compare.
CREATE FUNCTION pg_temp.check_answer(query text, condition text, own text DEFAULT 'true') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  seen jsonb;
  expected jsonb;
  all_rows text := 'SELECT jsonb_agg(answer) FROM (' || query || ') AS answer';
BEGIN
  EXECUTE pg_temp.as_role(all_rows, condition, false, own) INTO seen;
  EXECUTE pg_temp.as_role(all_rows, condition, true) INTO expected;
  PERFORM set_config('role', 'none', true);
  IF seen IS DISTINCT FROM expected THEN
    RAISE 'the policy shows % instead of %', seen, expected;
  END IF;
END
$$;

-- Prints how long a query takes and how much longer than with a WHERE, by the
-- median of up to "runs" pairs; a single one will do if that takes seconds.
CREATE FUNCTION pg_temp.compare(name text, query text, condition text, runs integer DEFAULT 9, calls integer DEFAULT 1, before text DEFAULT NULL, own text DEFAULT 'true')
RETURNS TABLE (measure text, value numeric) LANGUAGE plpgsql AS $$
DECLARE
  latest timestamptz := clock_timestamp() + interval '1 second';
  taken numeric[];
  ratio numeric[];
  explicit numeric;
BEGIN
  IF query !~ '^(INSERT|UPDATE)' THEN PERFORM pg_temp.check_answer(query, condition, own); END IF;
  FOR run IN 1 .. runs LOOP
    IF run % 2 = 0 THEN explicit := pg_temp.timed(query, condition, true, calls, before, own); END IF;
    taken[run] := pg_temp.timed(query, condition, false, calls, before, own);
    IF run % 2 = 1 THEN explicit := pg_temp.timed(query, condition, true, calls, before, own); END IF;
    ratio[run] := taken[run] / explicit;
    EXIT WHEN clock_timestamp() > latest;
  END LOOP;
  RETURN QUERY
    SELECT name || '.us', percentile_cont(0.5) WITHIN GROUP (ORDER BY v)::numeric FROM unnest(taken) v
    UNION ALL
    SELECT name || '.ratio', percentile_cont(0.5) WITHIN GROUP (ORDER BY v)::numeric FROM unnest(ratio) v;
END
$$;

-- Returns a plan, and the time it took to make and to run in microseconds.
CREATE FUNCTION pg_temp.explained(query text, condition text, explicit boolean, options text,
  OUT plan jsonb, OUT planning numeric, OUT execution numeric) LANGUAGE plpgsql AS $$
DECLARE
  result json;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT JSON, %s) %s', options, pg_temp.as_role(query, condition, explicit)) INTO result;
  PERFORM set_config('role', 'none', true);
  plan := result -> 0 -> 'Plan';
  planning := (result -> 0 ->> 'Planning Time')::numeric * 1000;
  execution := (result -> 0 ->> 'Execution Time')::numeric * 1000;
END
$$;

-- Returns the nodes of a plan in order: without what costs and conditions say,
-- which differ by the call of a function, and each with its number of rows.
CREATE FUNCTION pg_temp.nodes(plan jsonb, OUT node jsonb, OUT rows numeric) RETURNS SETOF record LANGUAGE sql AS $$
  WITH RECURSIVE nodes (node, place) AS (
    SELECT plan, '{}'::bigint[]
    UNION ALL
    SELECT child, nodes.place || number
    FROM nodes, jsonb_array_elements(node -> 'Plans') WITH ORDINALITY AS children (child, number)
  )
  SELECT jsonb_object_agg(key, CASE WHEN key ~ '(Filter|Cond)$' THEN 'null' ELSE value END),
         (node ->> 'Plan Rows')::numeric
  FROM nodes, jsonb_each(node)
  WHERE key NOT IN ('Startup Cost', 'Total Cost', 'Plan Rows', 'Plans')
  GROUP BY place, node ORDER BY place
$$;

-- Prints whether the plans of some queries are those of an explicit WHERE, and
-- by what factor the worst of their estimates is off that one's.
CREATE FUNCTION pg_temp.compare_plans(name text, queries text[], condition text)
RETURNS TABLE (measure text, value numeric) LANGUAGE plpgsql AS $$
DECLARE
  query text;
  own jsonb;
  explicit jsonb;
  same boolean := true;
  estimate numeric := 1;
BEGIN
  FOREACH query IN ARRAY queries LOOP
    own := (pg_temp.explained(query, condition, false, 'COSTS ON')).plan;
    explicit := (pg_temp.explained(query, condition, true, 'COSTS ON')).plan;
    same := same AND (SELECT array_agg(node) FROM pg_temp.nodes(own)) = (SELECT array_agg(node) FROM pg_temp.nodes(explicit));
    estimate := greatest(estimate, (
      SELECT max(greatest(o.rows, e.rows, 1) / greatest(least(o.rows, e.rows), 1))
      FROM ROWS FROM (pg_temp.nodes(own)) WITH ORDINALITY AS o (node, rows, number)
      JOIN ROWS FROM (pg_temp.nodes(explicit)) WITH ORDINALITY AS e (node, rows, number) USING (number)));
  END LOOP;
  RETURN QUERY VALUES (name || '.plan_same', same::integer::numeric), (name || '.estimate', estimate);
END
$$;

-- Prints what EXPLAIN ANALYZE says of a query: time to plan and to run, by
-- the median of up to "runs".
CREATE FUNCTION pg_temp.explain(name text, query text, condition text, runs integer DEFAULT 9)
RETURNS TABLE (measure text, value numeric) LANGUAGE plpgsql AS $$
DECLARE
  latest timestamptz := clock_timestamp() + interval '1 second';
  planning numeric[];
  execution numeric[];
  one record;
BEGIN
  PERFORM pg_temp.check_answer(query, condition);
  FOR run IN 1 .. runs LOOP
    one := pg_temp.explained(query, condition, false, 'ANALYZE, TIMING OFF');
    planning[run] := one.planning;
    execution[run] := one.execution;
    EXIT WHEN clock_timestamp() > latest;
  END LOOP;
  RETURN QUERY
    SELECT name || '.plan', percentile_cont(0.5) WITHIN GROUP (ORDER BY v)::numeric FROM unnest(planning) v
    UNION ALL
    SELECT name || '.run', percentile_cont(0.5) WITHIN GROUP (ORDER BY v)::numeric FROM unnest(execution) v;
END
$$;
