-- What the server's documentation and most tutorials write.
\set policy '%1$I = current_setting(''app.tenant_id'')::%2$s'
\set context 'SELECT set_config(''app.tenant_id'', %L, true)'
\ir ../part/policy.sql
