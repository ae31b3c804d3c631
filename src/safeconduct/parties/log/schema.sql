-- The last checkpoint that was signed. One row, which only ever grows, is what keeps two
-- writers, or one writer after a crash, from signing two trees of one size.
CREATE TABLE signed (
    origin       TEXT PRIMARY KEY,
    tree_size    INTEGER NOT NULL CHECK (tree_size >= 0),  -- entries
    root_hash    BLOB NOT NULL CHECK (length(root_hash) = 32),
    checkpoint   BLOB NOT NULL,  -- the note with the log's own Ed25519 signature
    signed_at_ms INTEGER NOT NULL CHECK (signed_at_ms >= 0)  -- POSIX milliseconds
) STRICT, WITHOUT ROWID;

CREATE TRIGGER signed_never_goes_back BEFORE UPDATE ON signed
WHEN NEW.tree_size < OLD.tree_size OR NEW.signed_at_ms < OLD.signed_at_ms
  OR (NEW.tree_size = OLD.tree_size AND NEW.root_hash <> OLD.root_hash)
BEGIN
    SELECT RAISE(ABORT, 'a log never goes back');
END;

-- How much of the log is in its tiles and bundles, synced. What comes after is in the journal
-- too, whose frames chain from here.
CREATE TABLE settled (
    origin    TEXT PRIMARY KEY,
    tree_size INTEGER NOT NULL CHECK (tree_size >= 0),  -- entries
    chain     BLOB NOT NULL CHECK (length(chain) = 32)  -- of the journal's frame that ends there
) STRICT, WITHOUT ROWID;

CREATE TRIGGER settled_never_goes_back BEFORE UPDATE ON settled
WHEN NEW.tree_size < OLD.tree_size
BEGIN
    SELECT RAISE(ABORT, 'what is settled stays settled');
END;

-- The first cosigned checkpoint of each published size: whoever sends an entry again gets the
-- earliest date that covers it, not the date of the repetition.
CREATE TABLE published (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    tree_size  INTEGER NOT NULL UNIQUE,
    root_hash  BLOB NOT NULL CHECK (length(root_hash) = 32),
    checkpoint BLOB NOT NULL  -- the note with its cosignatures
) STRICT;
