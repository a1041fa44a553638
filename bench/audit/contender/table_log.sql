-- rounds: 2
-- requires: table_log
-- Level 4 (a key of its own, no user), one log table, two log rows per UPDATE.
CREATE EXTENSION table_log;
SELECT table_log_init(4, 'public', :'table', 'public', :'table' || '_log') \g /dev/null
