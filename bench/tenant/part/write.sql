\ir enter.sql
SELECT format('INSERT INTO %I SELECT i, 42, 0 FROM generate_series(1, %s) i', :'table', :rows * 2) AS insert,
       format('UPDATE %I SET amount = 1 WHERE %%s', :'table') AS update
\gset
SELECT (pg_temp.compare('write.' || :'table' || '_insert', :'insert', :'condition', 3, before => 'TRUNCATE ' || :'table')).*;
SELECT (pg_temp.compare('write.' || :'table' || '_update', :'update', :'condition', 3, before => 'TRUNCATE ' || :'table' || '; ' || :'insert')).*;
ROLLBACK;
