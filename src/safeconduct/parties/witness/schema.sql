-- The largest tree of each log that this witness has cosigned. Everything rests on these rows.
CREATE TABLE logs (
    origin      TEXT PRIMARY KEY,
    tree_size   INTEGER NOT NULL CHECK (tree_size >= 0),  -- entries
    root_hash   BLOB NOT NULL CHECK (length(root_hash) = 32),
    cosigned_at INTEGER NOT NULL CHECK (cosigned_at >= 0),  -- POSIX seconds; 0 is never
    checkpoint  BLOB NOT NULL  -- the note with the log's signature and ours; empty if never
) STRICT, WITHOUT ROWID;

-- A second line of defence: no statement, however wrong, moves a log back.
CREATE TRIGGER logs_never_go_back BEFORE UPDATE ON logs
WHEN NEW.tree_size < OLD.tree_size OR NEW.cosigned_at < OLD.cosigned_at
BEGIN
    SELECT RAISE(ABORT, 'a witness never goes back');
END;

CREATE TRIGGER logs_are_never_forgotten BEFORE DELETE ON logs
BEGIN
    SELECT RAISE(ABORT, 'a witness never forgets a log');
END;

-- Two checkpoints signed by one log, of one size and with different root hashes: a fork.
CREATE TABLE conflicts (
    origin    TEXT NOT NULL REFERENCES logs (origin),
    tree_size INTEGER NOT NULL,
    root_hash BLOB NOT NULL CHECK (length(root_hash) = 32),
    seen_at   INTEGER NOT NULL,  -- POSIX seconds
    known     BLOB NOT NULL,  -- the note cosigned before
    other     BLOB NOT NULL,  -- the note that contradicts it
    PRIMARY KEY (origin, tree_size, root_hash)
) STRICT, WITHOUT ROWID;
