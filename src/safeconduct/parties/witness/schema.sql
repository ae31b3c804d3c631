-- The largest tree of each log that this witness has cosigned. Everything rests on these rows.
CREATE TABLE logs (
    origin      TEXT PRIMARY KEY,
    tree_size   INTEGER NOT NULL CHECK (tree_size >= 0),  -- entries
    root_hash   BLOB NOT NULL CHECK (length(root_hash) = 32),
    cosigned_at INTEGER NOT NULL CHECK (cosigned_at >= 0),  -- POSIX seconds; 0 is never
    forked      INTEGER NOT NULL CHECK (forked IN (0, 1)),  -- 1: proven to have two histories
    checkpoint  BLOB NOT NULL  -- the note with the log's signatures and ours; empty if never
) STRICT;

-- A second line of defence: no statement, however wrong, moves a log back or trusts a liar.
CREATE TRIGGER logs_never_go_back BEFORE UPDATE ON logs
WHEN NEW.tree_size < OLD.tree_size OR NEW.cosigned_at < OLD.cosigned_at OR OLD.forked
BEGIN
    SELECT RAISE(ABORT, 'a witness never goes back');
END;

CREATE TRIGGER logs_are_never_forgotten BEFORE DELETE ON logs
BEGIN
    SELECT RAISE(ABORT, 'a witness never forgets a log');
END;

-- The logs that came with a list. They are served although a later list leaves them out, and
-- under the keys that they came with.
CREATE TABLE listed (
    origin           TEXT PRIMARY KEY,
    vkeys            TEXT NOT NULL,  -- one a line
    requests_per_day INTEGER CHECK (requests_per_day > 0)  -- no limit if NULL
) STRICT;

-- What was cosigned: the last 256 trees of each log, and the first new tree of each day (UTC).
CREATE TABLE cosigned (
    origin       TEXT NOT NULL REFERENCES logs (origin),
    tree_size    INTEGER NOT NULL,
    first_of_day INTEGER NOT NULL CHECK (first_of_day IN (0, 1)),
    checkpoint   BLOB NOT NULL,
    PRIMARY KEY (origin, tree_size)
) STRICT;

-- Signed by the log, yet not proven to continue what we know: a fork, or a faulty request.
CREATE TABLE unexplained (
    origin     TEXT NOT NULL REFERENCES logs (origin),
    tree_size  INTEGER NOT NULL,
    root_hash  BLOB NOT NULL CHECK (length(root_hash) = 32),
    seen_at    INTEGER NOT NULL,  -- POSIX seconds
    checkpoint BLOB NOT NULL,
    PRIMARY KEY (origin, tree_size, root_hash)
) STRICT;

-- Proofs that a log has two histories, signed by the log itself: whole `.fork` files.
CREATE TABLE forks (
    origin   TEXT NOT NULL REFERENCES logs (origin),
    name     TEXT NOT NULL,
    found_at INTEGER NOT NULL,  -- POSIX seconds
    fork     BLOB NOT NULL,
    PRIMARY KEY (origin, name)
) STRICT;
