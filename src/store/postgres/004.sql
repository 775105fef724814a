-- Format 4: the number of transactions that have written changes.
-- So a process sees that others wrote. A sequence, since a row would make all writers wait for each other.
CREATE SEQUENCE written MINVALUE 0 START 0;
-- The first call does not raise it.
SELECT nextval('written');
