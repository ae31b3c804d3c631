-- What the desk knows of credits: a file of its own, since here alone tips and credits meet.

-- Each tip is claimed with directly or credited, never both: the first way taken counts.
CREATE TABLE ways (
    hash  BLOB PRIMARY KEY,  -- record hash of the tip
    way   TEXT NOT NULL CHECK (way IN ('claimed', 'credited')),
    UNIQUE (hash, way)
) STRICT;

-- Offers as signed with the statement key, one for each group that a tip was ever graded into.
CREATE TABLE offers (
    hash     BLOB NOT NULL,
    statute  BLOB NOT NULL,     -- SHA-256 of the law
    class    TEXT NOT NULL,
    period   INTEGER NOT NULL,  -- from 1
    record   BLOB NOT NULL,     -- signed credit-offer
    PRIMARY KEY (hash, statute, class, period)
) STRICT;

-- The first valid request for a group; another one for it is refused, with this as evidence.
CREATE TABLE requests (
    hash       BLOB NOT NULL,
    statute    BLOB NOT NULL,
    class      TEXT NOT NULL,
    period     INTEGER NOT NULL,
    follow_up  BLOB NOT NULL,  -- record hash of the follow-up that brought it
    request    BLOB NOT NULL,  -- signed credit-request, as it came
    PRIMARY KEY (hash, statute, class, period),
    FOREIGN KEY (hash, statute, class, period) REFERENCES offers (hash, statute, class, period)
) STRICT;

-- One credit for each tip, for ever.
CREATE TABLE links (
    hash     BLOB PRIMARY KEY,
    way      TEXT NOT NULL DEFAULT 'credited' CHECK (way = 'credited'),
    statute  BLOB NOT NULL,
    class    TEXT NOT NULL,
    period   INTEGER NOT NULL,
    link     BLOB NOT NULL,  -- credit-link signed by t of n of the board
    credit   BLOB,           -- plain: the signed credit; NULL if it is blind
    proof    BLOB,           -- tlog-proof of the link; NULL until the Ledger has it
    answer   BLOB,           -- credit or blind-signature; NULL until it may be handed out
    FOREIGN KEY (hash, way) REFERENCES ways (hash, way),
    FOREIGN KEY (hash, statute, class, period)
        REFERENCES requests (hash, statute, class, period)
) STRICT;
