-- The number of transactions that have written changes, whoever made them: so a process sees that others wrote. A sequence, since
-- a row would make all writers wait for each other.
CREATE SEQUENCE written MINVALUE 0 START 0;
-- The first call does not raise it.
SELECT nextval('written');
