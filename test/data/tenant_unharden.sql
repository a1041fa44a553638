-- Gives back what tenant_harden() has taken from PUBLIC.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM steward_internal.tenant_telltales() LOOP
        EXECUTE format('GRANT %s ON %s TO PUBLIC; REVOKE ALL ON %s FROM pg_monitor', t.privilege, t.object, t.object);
    END LOOP;
END $$;
