-- The policies that people get who ask for nothing in particular.
\if :{?members}
  \set protect 'steward.tenant_protect_member(%L, ''members'', %L, create_index => false)'
\elif :{?folded}
  \set protect 'steward.tenant_protect(%L, %L, folded => true, create_index => false)'
\else
  \set protect 'steward.tenant_protect(%L, %L, create_index => false)'
\endif
SELECT format('SELECT count(*) FROM ' || :'protect', :'table', :'column') AS protect
\gset
:protect \g /dev/null
\set context 'SELECT steward.tenant_set(%1$L, %1$L)'
\set found 'SELECT * FROM steward.tenant_search(NULL::docs, %L)'
