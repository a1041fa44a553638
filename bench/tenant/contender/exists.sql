-- rounds: 1
-- What comes to mind first for members.
\set policy 'EXISTS (SELECT FROM members m WHERE m.user_id = current_setting(''app.tenant_id'')::integer AND m.tenant_id = rows.%I)'
\set context 'SELECT set_config(''app.tenant_id'', %L, true)'
\ir ../part/policy.sql
