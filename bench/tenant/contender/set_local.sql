-- The same, said by a statement instead of a function.
\set policy '%1$I = current_setting(''app.tenant_id'')::%2$s'
\set context 'SET LOCAL app.tenant_id = %L'
\ir ../part/policy.sql
