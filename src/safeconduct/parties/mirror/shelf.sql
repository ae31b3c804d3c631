-- Every capsule that the door ever showed us. Nothing is ever taken away.
CREATE TABLE capsules (
    number INTEGER PRIMARY KEY,   -- the order they came in
    hash   BLOB NOT NULL UNIQUE,  -- SHA-256 of the entry
    entry  BLOB NOT NULL CHECK (length(entry) = 8208)  -- slot (16) and capsule (8,192)
) STRICT;
