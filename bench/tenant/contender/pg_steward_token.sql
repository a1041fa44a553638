-- The same for whoever is not trusted to say the tenant.
\ir pg_steward.sql
SELECT format('SET LOCAL steward.token = %L', steward.tenant_sign(:'tenant', ttl => '50 minutes')) AS context
\gset
