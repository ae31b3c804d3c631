-- The largest tree of each log that was seen, verified, and found to continue the one before.
CREATE TABLE seen (
  origin      TEXT PRIMARY KEY,
  checkpoint  BLOB NOT NULL
) STRICT;

-- A tree that somebody showed and the log does not: joined, or proven a fork, once it can be.
CREATE TABLE pending (
  place       TEXT NOT NULL,
  origin      TEXT NOT NULL,
  checkpoint  BLOB NOT NULL,
  since       INTEGER NOT NULL,
  PRIMARY KEY (place, origin)
) STRICT;

-- When each witness was last seen to have cosigned each log.
CREATE TABLE cosigned (
  origin      TEXT NOT NULL,
  witness     TEXT NOT NULL,
  at          INTEGER NOT NULL,
  PRIMARY KEY (origin, witness)
) STRICT;

-- The Gazette's entries as far as they fold.
CREATE TABLE gazette (
  number      INTEGER PRIMARY KEY,
  entry       BLOB NOT NULL
) STRICT;

-- Leaves of the Ledger that the keeper asks about: how far was searched, where it was found.
CREATE TABLE leaves (
  leaf        BLOB PRIMARY KEY,
  searched    INTEGER NOT NULL,
  found       INTEGER
) STRICT;

CREATE TABLE alerts (
  id          TEXT PRIMARY KEY,
  severity    TEXT NOT NULL,
  place       TEXT NOT NULL,
  sentence    TEXT NOT NULL,
  next_step   TEXT NOT NULL,
  since       INTEGER NOT NULL,
  ended       INTEGER,
  lasting     INTEGER NOT NULL,
  evidence    TEXT NOT NULL
) STRICT;

-- What is to be told, in order. A row is written with the change that it tells of.
CREATE TABLE news (
  number      INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL,
  at          INTEGER NOT NULL,
  message     TEXT NOT NULL,
  said        INTEGER NOT NULL DEFAULT 0,
  handed      INTEGER NOT NULL DEFAULT 0,
  tries       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX news_untold ON news (number) WHERE said = 0 OR handed = 0;

-- The last round as the page shows it, and since when this folder has been watching.
CREATE TABLE state (
  name        TEXT PRIMARY KEY,
  value       TEXT NOT NULL
) STRICT;
