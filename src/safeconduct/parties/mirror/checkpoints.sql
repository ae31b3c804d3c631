-- The cosigned checkpoints of one log that this mirror has copied up to. The dates rest on them.
-- Of those that count, a larger tree always has a later date: what a larger tree dates earlier
-- says nothing more.
CREATE TABLE checkpoints (
    tree_size INTEGER PRIMARY KEY CHECK (tree_size >= 0),  -- entries
    root_hash BLOB NOT NULL CHECK (length(root_hash) = 32),
    logged_by INTEGER NOT NULL,  -- POSIX seconds
    note      BLOB NOT NULL,     -- with the signatures of the log and of known witnesses
    counts    INTEGER NOT NULL CHECK (counts IN (0, 1))  -- dates entries under the policy
) STRICT;

CREATE INDEX checkpoints_by_date ON checkpoints (logged_by);

-- Under which policy the dates were taken.
CREATE TABLE judged (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    policy BLOB NOT NULL  -- SHA-256; empty is none
) STRICT;

INSERT INTO judged VALUES (1, x'');

-- A second line of defence: no statement, however wrong, gives a kept tree another root.
CREATE TRIGGER roots_never_change BEFORE UPDATE ON checkpoints
WHEN NEW.root_hash <> OLD.root_hash OR NEW.tree_size <> OLD.tree_size
BEGIN
    SELECT RAISE(ABORT, 'a mirror never changes a tree');
END;

-- The date of our own last cosignature of this log: no later one is ever earlier.
CREATE TABLE cosigned (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at  INTEGER NOT NULL  -- POSIX seconds; 0 is never
) STRICT;

INSERT INTO cosigned VALUES (1, 0);
