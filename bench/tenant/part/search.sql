SELECT format('SELECT * FROM docs WHERE %%s AND vector @@ %L ORDER BY ts_rank(vector, %1$L) DESC, id LIMIT 20', :'words') AS plain
\gset
SELECT (pg_temp.compare('search.' || :'name' || '_plain', :'plain', :'condition')).*;
\if :{?found}
  SELECT (pg_temp.compare('search.' || :'name', '%s', format(:'plain', :'condition'), calls => 5, own => format(:'found', :'words'))).*;
\endif
