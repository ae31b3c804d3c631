-- Where each entry of one log stands. All of it can be made again from the entry bundles.
CREATE TABLE leaves (
    leaf  BLOB PRIMARY KEY CHECK (length(leaf) = 32),  -- RFC 6962 leaf hash
    place INTEGER NOT NULL CHECK (place >= 0)          -- of several, the first
) STRICT, WITHOUT ROWID;

-- How many entries are in files and in this index; beyond the last checkpoint, not verified.
CREATE TABLE progress (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    tree_size INTEGER NOT NULL CHECK (tree_size >= 0)
) STRICT;

INSERT INTO progress VALUES (1, 0);
