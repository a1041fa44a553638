-- pg_steward on pgbench's tables.
CREATE EXTENSION pg_steward CASCADE;
SELECT steward.audit_enable(t)
FROM unnest('{pgbench_accounts,pgbench_tellers,pgbench_branches,pgbench_history}'::regclass[]) t \g /dev/null
