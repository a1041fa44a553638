-- What guides advise who have measured the former.
\set policy '%1$I = (SELECT current_setting(''app.tenant_id'')::%2$s)'
\set context 'SELECT set_config(''app.tenant_id'', %L, true)'
\ir ../part/policy.sql
