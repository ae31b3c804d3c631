-- The board's console. What members do is only ever added to `events`; all else is either a copy
-- of what came from the register, or about who may come in.

CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,        -- POSIX seconds, the console's clock
    member TEXT NOT NULL,       -- who did it; empty for the console and whoever runs it
    kind TEXT NOT NULL,
    claim BLOB NOT NULL,        -- 32 bytes, or empty where it is about no case
    docket BLOB NOT NULL,       -- SHA-256 of the docket that was looked at, or empty
    data BLOB NOT NULL
) STRICT;
CREATE INDEX events_of_claim ON events (claim, number);
CREATE INDEX events_of_kind ON events (kind, number);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER events_are_never_taken_away BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;

CREATE TABLE dockets (
    hash BLOB PRIMARY KEY,      -- SHA-256 of data
    claim BLOB NOT NULL,
    data BLOB NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL    -- when the register offered it last
) STRICT;

CREATE TABLE invitations (
    code_hash BLOB PRIMARY KEY,
    member TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE TABLE passkeys (
    credential_id BLOB PRIMARY KEY,
    member TEXT NOT NULL,
    public_key BLOB NOT NULL,
    sign_count INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    used_at INTEGER,
    removed_at INTEGER
) STRICT;
CREATE INDEX passkeys_of_member ON passkeys (member, added_at);

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,      -- of the cookie, which is kept nowhere
    member TEXT NOT NULL,
    credential_id BLOB NOT NULL REFERENCES passkeys,
    began_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE used_challenges (
    hash BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
