-- Hashes of passwords: known vectors, hashes of other libraries, what cannot be a password, as much work for nobody.
\set SHOW_CONTEXT never
SET steward.password_cost = 4;

SELECT steward.password_verify('correct horse', steward.password_hash('correct horse'));
SELECT steward.password_verify('correct hors', steward.password_hash('correct horse'));
SELECT substr(steward.password_hash('x'), 1, 7) AS made_by, length(steward.password_hash('x')) AS length, steward.password_hash('x') <> steward.password_hash('x') AS salted;

-- Published vectors of bcrypt, under the names that other libraries give it.
SELECT v.password, steward.password_verify(v.password, v.hash) AS as_2a, steward.password_verify(v.password, replace(v.hash, '$2a$', '$2b$')) AS as_2b,
       steward.password_verify(v.password, replace(v.hash, '$2a$', '$2y$')) AS as_2y, steward.password_verify(v.password || '.', v.hash) AS other
  FROM (VALUES ('a', '$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe'),
               ('abc', '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'),
               ('abcdefghijklmnopqrstuvwxyz', '$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC')) v(password, hash);

-- What is no hash is nobody's; what is no password is none.
SELECT hash, steward.password_verify('x', hash) FROM unnest(ARRAY[NULL, '', 'x', '$2a$', '$2a$04$short', '$2a$99$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe', '*0', '$2$04$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe', '_short']) hash;
SELECT steward.password_verify(NULL, steward.password_hash('x')), steward.password_verify('', steward.password_hash('x')), steward.password_hash(NULL) IS NULL AS null_of_null;
SELECT steward.password_hash('');
SELECT steward.password_verify(repeat('x', 72), steward.password_hash(repeat('x', 72))), steward.password_verify(repeat('x', 73), steward.password_hash(repeat('x', 72))) AS longer;
SELECT steward.password_hash(repeat('x', 73));
SELECT steward.password_hash(repeat(U&'\20AC', 25));
SELECT steward.password_verify(repeat(U&'\20AC', 24), steward.password_hash(repeat(U&'\20AC', 24)));

-- A better hash is wanted where the cost is lower than it shall be, or by another algorithm.
SET steward.password_cost = 6;
SELECT hash, steward.password_needs_rehash(hash) FROM unnest(ARRAY['$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe', '$2b$12$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe',
    '$2y$05$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe', '$1$salt$QVLcG6SL.MQWuNkV4RP0x.', '', NULL]) hash;
SET steward.password_cost = 3;

-- A user that is not there takes as long as one that is, and so does a hash that is none: each is one round of bcrypt, of some hundred times what all else takes.
SET steward.password_cost = 10;
CREATE FUNCTION pg_temp.milliseconds(password text, hash text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    best float8 := 'Infinity';
BEGIN
    FOR i IN 1 .. 5 LOOP
        began := clock_timestamp();
        PERFORM steward.password_verify(password, hash);
        best := least(best, extract(epoch FROM clock_timestamp() - began) * 1000);
    END LOOP;
    RETURN best;
END $$;
WITH there AS (SELECT pg_temp.milliseconds('x', steward.password_hash('y')) AS ms)
SELECT what, pg_temp.milliseconds(password, hash) / there.ms BETWEEN 0.4 AND 2.5 AS as_long
  FROM there, (VALUES ('nobody', 'x', NULL), ('no hash', 'x', 'none'), ('too long', repeat('x', 100), NULL), ('no password', NULL, NULL)) v(what, password, hash);

-- Whatever the search path and the role.
CREATE ROLE regress_password;
CREATE SCHEMA password_hostile;
CREATE FUNCTION password_hostile.crypt(text, text) RETURNS text LANGUAGE sql RETURN 'stolen';
GRANT USAGE ON SCHEMA password_hostile TO PUBLIC;
SET ROLE regress_password;
SET search_path = password_hostile;
SELECT steward.password_verify('abc', '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i');
SET steward.password_cost = 4;
RESET ROLE;
RESET search_path;
\set VERBOSITY terse
DROP SCHEMA password_hostile CASCADE;
DROP ROLE regress_password;
