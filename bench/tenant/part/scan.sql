\ir enter.sql
SELECT (pg_temp.compare('scan.' || :'column', 'SELECT sum(amount) FROM rows WHERE %s', :'condition', 25)).*;
ROLLBACK;
