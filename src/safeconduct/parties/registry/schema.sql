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
    number     INTEGER NOT NULL REFERENCES cases (number), -- the first case on it
    joint      TEXT NOT NULL      -- canonical JSON: who did it together by that case; or empty
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

-- Listings: each a course of events, from the first draft on. What state one is in follows from
-- them and stands nowhere.

CREATE TABLE listings (
    number     INTEGER PRIMARY KEY,   -- order of proposing, from 1
    subject    TEXT NOT NULL,         -- register number; several listings may follow each other
    page       BLOB NOT NULL UNIQUE   -- 32 random bytes, the address of the person's page
) STRICT;

CREATE INDEX listings_by_subject ON listings (subject);

CREATE TABLE listing_events (
    number     INTEGER PRIMARY KEY,
    listing    INTEGER NOT NULL REFERENCES listings (number),
    kind       TEXT NOT NULL,
    at         INTEGER NOT NULL,      -- POSIX seconds: logged by, or the registry's own note
    data       BLOB NOT NULL          -- canonical JSON
) STRICT;

CREATE INDEX listing_events_by_listing ON listing_events (listing);
