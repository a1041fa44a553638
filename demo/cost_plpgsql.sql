-- The audit trail of "PostgreSQL Production Patterns" word for word, on pgbench's tables: what pg_steward replaces.
CREATE TABLE IF NOT EXISTS audit_logs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    table_name VARCHAR(100) NOT NULL,
    operation VARCHAR(10) NOT NULL,
    old_values JSONB,
    new_values JSONB,
    user_id UUID,
    ip_address INET,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

CREATE OR REPLACE FUNCTION audit_trigger()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO audit_logs (
        table_name, operation, old_values, new_values,
        user_id, ip_address
    ) VALUES (
        TG_TABLE_NAME,
        TG_OP,
        CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE NULL END,
        CASE WHEN TG_OP = 'INSERT' THEN to_jsonb(NEW)
             WHEN TG_OP = 'UPDATE' THEN to_jsonb(NEW)
             ELSE NULL END,
        current_setting('app.current_user_id', true)::uuid,
        current_setting('app.client_ip', true)::inet
    );
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END;
$$ LANGUAGE plpgsql;

SELECT format('CREATE TRIGGER %s_audit_trigger AFTER INSERT OR UPDATE OR DELETE ON %1$s
               FOR EACH ROW EXECUTE FUNCTION audit_trigger()', t)
FROM unnest('{pgbench_accounts,pgbench_tellers,pgbench_branches,pgbench_history}'::regclass[]) t \gexec

-- The trigger writes with the rights of whoever writes, so whoever writes may also forge.
GRANT INSERT ON audit_logs TO app;
