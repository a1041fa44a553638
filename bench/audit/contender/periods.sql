-- rounds: 2
-- requires: periods
-- SQL:2016 system versioning: an INSERT only stamps the row.
CREATE EXTENSION periods CASCADE;
SELECT periods.add_system_time_period(:'table'), periods.add_system_versioning(:'table') \g /dev/null
