-- What the door keeps. No address, no user agent, no time finer than a day.

CREATE TABLE deliveries (
    number          INTEGER PRIMARY KEY,  -- order of completion, from 1; what the desk counts by
    hash            BLOB NOT NULL UNIQUE, -- record hash, 32 bytes; the payload is tips/kept/<hex>
    record          BLOB NOT NULL,        -- contribution record, its exact bytes
    proof           BLOB NOT NULL,        -- tlog-proof of the record
    header          BLOB NOT NULL,        -- the age header that goes before the payload
    delivery        BLOB NOT NULL,        -- delivery record signed by the door
    delivery_proof  BLOB                  -- tlog-proof of it; NULL until the Ledger has it
) STRICT;

CREATE TABLE announced (
    hash    BLOB PRIMARY KEY,     -- record hash of an envelope that is or was coming in
    upload  BLOB NOT NULL UNIQUE, -- name it is handed over under; cannot be had from the Ledger
    record  BLOB NOT NULL,
    proof   BLOB NOT NULL,
    header  BLOB NOT NULL,
    until   INTEGER NOT NULL      -- POSIX seconds: the end of its delivery window
) STRICT;

CREATE TABLE capsules (
    number  INTEGER PRIMARY KEY,
    slot    BLOB NOT NULL,     -- 16 bytes
    blob    BLOB NOT NULL,     -- 8,192 bytes
    UNIQUE (slot, blob)
) STRICT;

CREATE TABLE replies (
    number  INTEGER PRIMARY KEY,
    tag     BLOB NOT NULL UNIQUE, -- 16 bytes
    block   BLOB NOT NULL         -- tag and 16,384 bytes
) STRICT;

-- Payloads that the desk was given: what it may have read cannot be taken back.
CREATE TABLE handed (
    hash   BLOB PRIMARY KEY REFERENCES deliveries (hash),
    whole  INTEGER NOT NULL  -- 1 if it was given to its end, 0 if some of it was
) STRICT;

-- Tips that their authors took back. Such a payload is not given out any more.
CREATE TABLE withdrawals (
    number  INTEGER PRIMARY KEY,  -- what the desk counts by
    hash    BLOB NOT NULL UNIQUE, -- record hash of the contribution
    record  BLOB NOT NULL,        -- the contribution, its exact bytes
    signed  BLOB NOT NULL,        -- withdrawal record signed by the author; the first counts
    proof   BLOB                  -- tlog-proof of it; NULL until the Ledger has it
) STRICT;

-- The Ledger's newest checkpoint that was dated before a limit that comes or came.
CREATE TABLE before_limits (
    limit_at    INTEGER PRIMARY KEY, -- POSIX seconds
    checkpoint  BLOB NOT NULL
) STRICT;

-- Gates as they were signed: what was logged is never made anew.
CREATE TABLE gates (
    statute  BLOB NOT NULL,
    name     TEXT NOT NULL,
    signed   BLOB NOT NULL,
    PRIMARY KEY (statute, name)
) STRICT;
