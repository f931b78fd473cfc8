-- Divides the recordings by month, for stores of many millions: psql "$DATABASE_URL" -f api/machine/migrations/partition.sql
-- while no service runs. It may run again: then it only adds months, up to two years ahead. What lies in no month is kept
-- in recordings_others. A month that is no longer wanted goes at once: DROP TABLE recordings_2026_01.

BEGIN;
SET LOCAL timezone = 'UTC';
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'recordings'::regclass) = 'r' THEN
        ALTER TABLE recordings RENAME TO recordings_whole;
        CREATE TABLE recordings (LIKE recordings_whole INCLUDING DEFAULTS) PARTITION BY RANGE (taken_at);
        ALTER SEQUENCE recordings_id_seq OWNED BY recordings.id;
        -- A key of a divided table has to hold what it is divided by.
        ALTER TABLE recordings ADD PRIMARY KEY (id, taken_at);
        ALTER TABLE recordings ADD UNIQUE (point_id, taken_at, sha256);
        ALTER TABLE recordings ADD FOREIGN KEY (point_id) REFERENCES points ON DELETE CASCADE;
        CREATE INDEX ON recordings (point_id, taken_at, rms, severity);
        CREATE TABLE recordings_others PARTITION OF recordings DEFAULT;
    END IF;
END $$;

DO $$
DECLARE
    first double precision;
    month timestamptz;
BEGIN
    IF to_regclass('recordings_whole') IS NOT NULL THEN
        SELECT min(taken_at) INTO first FROM recordings_whole;
    END IF;
    month := date_trunc('month', coalesce(to_timestamp(first), now()), 'UTC');
    WHILE month < now() + interval '2 years' LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF recordings FOR VALUES FROM (%s) TO (%s)',
            'recordings_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM'), extract(epoch FROM month),
            extract(epoch FROM month + interval '1 month'));
        month := month + interval '1 month';
    END LOOP;
    IF to_regclass('recordings_whole') IS NOT NULL THEN
        INSERT INTO recordings SELECT * FROM recordings_whole;
        DROP TABLE recordings_whole;
    END IF;
END $$;
COMMIT;
