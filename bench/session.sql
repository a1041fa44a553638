-- Run at the start of every psql session of a benchmark.
CREATE FUNCTION pg_temp.log_bytes() RETURNS numeric LANGUAGE sql AS $$
  SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'source')
    AND n.nspname !~ '^pg_t'
    AND NOT EXISTS (SELECT FROM pg_description d
                    WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass
                      AND d.objsubid = 0 AND d.description = 'bench')
$$;
