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
    record     BLOB PRIMARY KEY,  -- record hash of a contribution whose author has claimed
    subject    TEXT NOT NULL      -- register number it was claimed under, and no other
) STRICT;

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
