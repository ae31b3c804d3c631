-- How much of what came on which day. No content, no order, nothing finer than a UTC day.

CREATE TABLE days (
    day    INTEGER NOT NULL,  -- days since 1970-01-01
    name   TEXT NOT NULL,
    count  INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (day, name)
) STRICT;
