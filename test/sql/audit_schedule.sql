-- Having upkeep called: by pg_cron, which is played by a schema here, or by cron.
\set regression :DBNAME
SET client_min_messages = error;
CREATE DATABASE regress_schedule;
CREATE DATABASE "regress it's 100 \ %";
\c regress_schedule
SET client_min_messages = error;
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE EXTENSION pg_steward;
\pset null null

-- neither is there: the line of a crontab
SELECT is_scheduled, place, replace(command, ' -p ' || current_setting('port'), '') AS command FROM steward.schedule();

-- pg_cron is in another database
SET cron.database_name = 'Postgres';
SELECT * FROM steward.schedule();
SET cron.database_name = 'regress_schedule';
SELECT is_scheduled, place FROM steward.schedule();
RESET cron.database_name;

-- a schema of that name that is no superuser's is not pg_cron
CREATE ROLE regress_scheduler;
CREATE SCHEMA cron;
CREATE TABLE public.job (job_name text PRIMARY KEY, schedule text, command text, username name DEFAULT current_user);
GRANT ALL ON public.job TO PUBLIC;
GRANT USAGE ON SCHEMA cron TO PUBLIC;
CREATE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint LANGUAGE sql AS $$
INSERT INTO public.job VALUES (job_name, schedule, command) ON CONFLICT ON CONSTRAINT job_pkey DO UPDATE SET schedule = excluded.schedule, command = excluded.command;
SELECT 1::bigint
$$;
ALTER FUNCTION cron.schedule(text, text, text) OWNER TO regress_scheduler;
SELECT is_scheduled, place FROM steward.schedule();
SELECT count(*) FROM public.job;

-- this one is
ALTER FUNCTION cron.schedule(text, text, text) OWNER TO CURRENT_USER;
SELECT * FROM steward.schedule();
SELECT job_name, schedule, command FROM public.job;
-- once, however often one asks
SELECT is_scheduled FROM steward.schedule();
SELECT count(*) FROM public.job;
-- the command is one that runs, and what it schedules too
SELECT command FROM public.job \gset
BEGIN;
:command \g /dev/null
SELECT count(*) > 3 AS partitions FROM steward.audit_partitions;
ROLLBACK;

-- for those who may call audit_maintain()
DELETE FROM public.job;
SET ROLE regress_scheduler;
SELECT * FROM steward.schedule();
RESET ROLE;
GRANT EXECUTE ON FUNCTION steward.schedule() TO regress_scheduler;
SET ROLE regress_scheduler;
SELECT * FROM steward.schedule();
RESET ROLE;
GRANT EXECUTE ON FUNCTION steward.audit_maintain() TO regress_scheduler;
SET ROLE regress_scheduler;
SELECT is_scheduled FROM steward.schedule();
RESET ROLE;
SELECT username FROM public.job;

-- names that psql, the shell and cron would take for something else
\c "regress it's 100 \ %"
SET client_min_messages = error;
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE EXTENSION pg_steward;
SELECT replace(command, ' -p ' || current_setting('port'), '') AS command FROM steward.schedule();
SET cron.database_name = 'postgres';
SELECT command FROM steward.schedule();

\c :regression
DROP DATABASE regress_schedule;
DROP DATABASE "regress it's 100 \ %";
DROP ROLE regress_scheduler;
