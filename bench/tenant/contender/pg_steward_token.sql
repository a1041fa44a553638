\set policy 'steward.is_current_tenant(%1$I)'
SELECT format('SET LOCAL steward.token = %L', steward.tenant_sign(:'tenant', ttl => '50 minutes')) AS context
\gset
\ir ../part/policy.sql
