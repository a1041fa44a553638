-- schedule: has the upkeep of the audit log called.

CREATE FUNCTION steward.schedule(OUT is_scheduled boolean, OUT place text, OUT command text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    database text := current_database();
    cron_database constant text := nullif(current_setting('cron.database_name', true), '');
    each_hour constant text := '7 * * * *';
    upkeep constant text := 'SELECT steward.audit_maintain()';
BEGIN
    IF NOT has_function_privilege('steward.audit_maintain()', 'EXECUTE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'permission denied for function audit_maintain',
            DETAIL = 'It will be called as the role that schedules it.',
            HINT = format('GRANT EXECUTE ON FUNCTION steward.audit_maintain() TO %I;', current_user);
    END IF;
    is_scheduled := false;
    -- a schema of that name could have been made by somebody who hopes that a superuser comes by
    IF EXISTS (SELECT FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner AND r.rolsuper
                WHERE p.oid = to_regprocedure('cron.schedule(text, text, text)')) THEN
        place := 'pg_cron';
        command := format('SELECT cron.schedule(%L::text, %L::text, %L::text);', 'pg_steward: ' || database, each_hour, upkeep);
        EXECUTE command;
        is_scheduled := true;
    ELSIF cron_database <> database THEN
        place := format('pg_cron in database %I', cron_database);
        command := format('SELECT cron.schedule_in_database(%L, %L, %L, %L);', 'pg_steward: ' || database, each_hour, upkeep, database);
    ELSE
        place := 'crontab';
        IF database !~ '^[A-Za-z0-9_]+$' THEN
            -- psql takes some names for more than a name, the shell some characters, and cron the percent sign
            database := format('dbname=''%s''', regexp_replace(database, '([''\\])', '\\\1', 'g'));
            database := replace(format('''%s''', replace(database, '''', '''\''''')), '%', '\%');
        END IF;
        command := format('%s psql -Xq -o /dev/null%s -d %s -c ''%s''', each_hour, ' -p ' || nullif(current_setting('port'), '5432'), database, upkeep);
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward.schedule() FROM PUBLIC;
COMMENT ON FUNCTION steward.schedule() IS
'Has pg_cron call audit_maintain() each hour, and returns the command that did it; where pg_cron is not in this database, returns the command or the line of a crontab that would.';
