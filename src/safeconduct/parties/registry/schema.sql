-- Append-only: rows are inserted, never changed, and no status is stored.

CREATE TABLE cases (
    number     INTEGER PRIMARY KEY,   -- order of filing, from 1
    claim      BLOB NOT NULL UNIQUE,  -- record hash of the signed claim, 32 bytes
    challenge  BLOB NOT NULL UNIQUE,  -- 32 bytes; each answered by one claim only
    page       BLOB NOT NULL UNIQUE,  -- 32 bytes, the address of the case's private page
    subject    TEXT NOT NULL          -- register number claimed about
) STRICT;

CREATE INDEX cases_by_subject ON cases (subject);

CREATE TABLE relied (
    thing      BLOB PRIMARY KEY,  -- record hash of a contribution, or nullifier of a credit, that
                                  -- a claimant has proven to hold
    subject    TEXT NOT NULL,     -- register number it was claimed under, and no other
    number     INTEGER NOT NULL REFERENCES cases (number)  -- the first case on it
) STRICT;

CREATE TABLE redeemed (
    nullifier  BLOB PRIMARY KEY,  -- of a credit that was used up
    kind       BLOB NOT NULL,     -- hash of its group: law, class, period
    claim      BLOB NOT NULL UNIQUE REFERENCES cases (claim)  -- decided on it for the person
) STRICT;

CREATE INDEX redeemed_by_kind ON redeemed (kind);

CREATE TABLE events (
    number     INTEGER PRIMARY KEY,
    claim      BLOB NOT NULL REFERENCES cases (claim),
    kind       TEXT NOT NULL,
    at         INTEGER NOT NULL,  -- POSIX seconds, the registry's own note
    data       BLOB NOT NULL      -- canonical JSON or a signed record, by kind
) STRICT;

CREATE TABLE objects (
    number     INTEGER PRIMARY KEY,
    sha256     BLOB NOT NULL UNIQUE,  -- what a publication record names
    subject    TEXT NOT NULL,
    data       BLOB NOT NULL          -- canonical JSON
) STRICT;
