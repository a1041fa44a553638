-- The cast: "migrator" owns the tables, "app" is what the web servers log in as. Neither has a right on the log.

CREATE ROLE migrator LOGIN;
CREATE ROLE app LOGIN;
GRANT CREATE ON DATABASE :"DBNAME" TO migrator;
GRANT CREATE ON SCHEMA public TO migrator;
