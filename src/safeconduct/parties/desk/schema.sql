-- What the desk keeps. Payloads and opened files lie beside it, under tips/<record hash>/.

CREATE TABLE tips (
    number          INTEGER PRIMARY KEY,  -- the desk's own, from 1
    place           INTEGER NOT NULL,     -- the door's number, by which the desk asks on
    hash            BLOB NOT NULL UNIQUE, -- record hash, 32 bytes
    record          BLOB NOT NULL,        -- contribution record, its exact bytes
    proof           BLOB NOT NULL,        -- tlog-proof of the record
    header          BLOB NOT NULL,        -- age header, as the door handed it over
    delivery        BLOB NOT NULL,        -- delivery record signed by the door
    delivery_proof  BLOB NOT NULL,
    logged_by       INTEGER NOT NULL      -- POSIX seconds, by the witnesses' word
) STRICT;

-- What the door offered and does not hold: kept as evidence, and tried again at each pull.
CREATE TABLE held_back (
    place   INTEGER PRIMARY KEY,
    offer   BLOB NOT NULL,  -- canonical JSON, as the door sent it
    reason  TEXT NOT NULL
) STRICT;

CREATE TABLE acknowledgements (
    hash      BLOB PRIMARY KEY REFERENCES tips (hash),
    status    TEXT NOT NULL CHECK (status IN ('ok', 'mismatch', 'unreadable', 'duplicate')),
    other     BLOB NOT NULL,  -- the tip it duplicates, else 32 zero bytes
    content   BLOB NOT NULL,  -- content root of the record
    reason    TEXT NOT NULL,  -- why it is not ok; empty if it is
    manifest  BLOB,           -- canonical JSON; NULL if the tip could not be opened
    record    BLOB NOT NULL,  -- acknowledgement signed with the statement key
    proof     BLOB            -- tlog-proof of it; NULL until the Ledger has it
) STRICT;

-- Each content is acknowledged as new once; every later tip with it is a duplicate.
CREATE UNIQUE INDEX acknowledged_content ON acknowledgements (content) WHERE status = 'ok';

-- Age headers for the archive's key: with the payload beside them, whole age files.
CREATE TABLE archive_headers (
    hash     BLOB NOT NULL REFERENCES tips (hash),
    archive  BLOB NOT NULL,  -- record hash of the Gazette's archive record
    header   BLOB NOT NULL,
    PRIMARY KEY (hash, archive)
) STRICT;

-- What the desk has said about destroying an epoch's keys; said once, before it is done.
CREATE TABLE destructions (
    epoch   INTEGER PRIMARY KEY,
    record  BLOB NOT NULL,  -- destruction record signed with the epoch's statement key
    proof   BLOB            -- tlog-proof of it; NULL until the Ledger has it
) STRICT;

-- Tips of one contribution that was sent twice share a mailbox, and so one row of counters.
CREATE TABLE replies (
    mailbox  BLOB NOT NULL,     -- the tag key that the tip names, 32 bytes
    counter  INTEGER NOT NULL,  -- from 0; gives the block its name on the bulletin
    hash     BLOB NOT NULL REFERENCES tips (hash),
    text     TEXT NOT NULL,
    block    BLOB NOT NULL,     -- as it is posted: sealing again would give other bytes
    posted   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (mailbox, counter)
) STRICT;

CREATE TABLE votes (
    hash      BLOB NOT NULL REFERENCES tips (hash),
    voter     TEXT NOT NULL,  -- the assessor's name in lower case: one person, one vote
    assessor  TEXT NOT NULL,  -- as they write it
    seal      BLOB NOT NULL,  -- commitment, 32 bytes: may be shown at once
    vote      BLOB NOT NULL,  -- canonical JSON: shown to nobody before all have voted
    PRIMARY KEY (hash, voter)
) STRICT;

-- Captured public statements that the assessors compare tips with.
CREATE TABLE statements (
    name     TEXT PRIMARY KEY,  -- statement-<first 12 hex digits of the text's SHA-256>
    speaker  TEXT NOT NULL,
    text     TEXT NOT NULL
) STRICT;

CREATE TABLE assessments (
    number    INTEGER PRIMARY KEY,  -- the newest of a tip counts; older ones stay
    hash      BLOB NOT NULL REFERENCES tips (hash),
    grade     TEXT NOT NULL,
    votes     BLOB NOT NULL,  -- canonical JSON of the opened votes
    findings  BLOB NOT NULL,  -- canonical JSON
    record    BLOB NOT NULL,  -- assessment signed with the statement key
    proof     BLOB            -- tlog-proof of it; NULL until the Ledger has it
) STRICT;

-- Tips that their authors took back, whether they came here before or not.
CREATE TABLE withdrawals (
    place   INTEGER PRIMARY KEY,   -- the door's number, by which the desk asks on
    hash    BLOB NOT NULL,         -- record hash of the tip
    signed  BLOB NOT NULL,         -- withdrawal record signed by the author
    proof   BLOB NOT NULL          -- tlog-proof of it
) STRICT;

CREATE INDEX withdrawn ON withdrawals (hash);

-- Tips that nobody need look at now: out of the list, and in everything else as before.
CREATE TABLE aside (
    hash  BLOB PRIMARY KEY REFERENCES tips (hash)
) STRICT;
