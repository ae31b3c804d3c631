"""Who may come in: by a passkey, which is enrolled once with a code that is good for once.

    board invite ──code──▶ member ──▶ /enrol ──▶ passkey ──▶ /enter ──▶ session

A challenge is `u64 expiry ‖ 16 random bytes ‖ MAC`, so nothing is kept of those that are only
asked for, and nobody can use up room; one that was answered is kept until it expires. The MAC's
key lives as long as the process. A session's cookie is 32 random bytes, of which only the hash
is kept; the token in its forms follows from it and is kept nowhere.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.board.console_store import MembersKey, Store, Visit
from safeconduct.plumbing import passkeys, web
from safeconduct.plumbing.passkeys import Site
from safeconduct.protocol.canonical import derive_key, tagged_hash, u64

CODE_BYTES = 16
INVITATION_SECONDS = 48 * 3_600
IDLE_SECONDS = 30 * 60
SESSION_SECONDS = 8 * 3_600
SEEN_EVERY_SECONDS = 60  # how exactly it is known when a session was used last
COOKIE_BYTES = 32
_COOKIE = "board"
_RANDOM_BYTES = 16
_GROUP = 4
_BLANKS = re.compile(r"[\s\-–]")
_ENROLMENT, _SIGN_IN = "enrolment", "sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What decides who is let in; `members` gives the names that the Gazette lists now."""

    store: Store
    site: Site
    programme: bytes
    members: Callable[[], frozenset[str]]
    seconds: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    key: bytes = field(repr=False)  # of the challenges' MAC; 32 bytes

    @property
    def cookie(self) -> str:
        """The cookie's name; over TLS one that no other host or plain page can set."""
        return f"__Host-{_COOKIE}" if self.site.is_encrypted else _COOKIE


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A member who is signed in, and the token that the forms of this session carry."""

    visit: Visit
    token: str = field(repr=False)

    @property
    def member(self) -> str:
        """The name of the member's key."""
        return self.visit.member


# Invitations.


def invite(
    store: Store, member: str, at: int, random_bytes: Callable[[int], bytes], *, lost: bool
) -> str:
    """A code with which this member can add a passkey once; earlier unused ones are void.

    With `lost`, all passkeys that the member has stop working now.
    """
    if lost:
        for held in store.passkeys(member):
            store.remove(member, held.passkey.credential_id, at, by="")
    code = random_bytes(CODE_BYTES).hex()
    store.invite(_code_hash(code), member, at + INVITATION_SECONDS, at)
    return "-".join(code[place : place + _GROUP] for place in range(0, len(code), _GROUP))


def _code_hash(code: str) -> bytes:
    plain = _BLANKS.sub("", code).lower()
    return hashlib.sha256(plain.encode("utf-8", "replace")).digest()


def enrolment(access: Access, code: str) -> tuple[str, str]:
    """The member whom a code invites, and the options for the authenticator.

    Raises:
        RefusedError: no such invitation, used, expired, or not of a member.
    """
    member = _invited(access, code)
    options = passkeys.registration_options(
        access.site,
        user_id=user_id(access, member),
        user_name=member,
        challenge=_challenge(access, _ENROLMENT, _code_hash(code)),
        known=[held.passkey.credential_id for held in access.store.passkeys(member)],
    )
    return member, options


def enrol(access: Access, code: str, response: str) -> str:
    """Add the passkey that answers; returns whose it is.

    Raises:
        RefusedError: as `enrolment`; or code or page were used meanwhile.
        MalformedError, UnverifiedError: the response does not hold here.
    """
    _invited(access, code)
    challenge = passkeys.parse_answer(response).challenge
    _check_challenge(access, _ENROLMENT, _code_hash(code), challenge)
    passkey = passkeys.verify_registration(response, access.site, challenge)
    return access.store.enrol(_code_hash(code), challenge, passkey, access.seconds())


def _invited(access: Access, code: str) -> str:
    member = access.store.invited(_code_hash(code), access.seconds())
    if member is None:
        raise RefusedError(
            "this code invites nobody: it was used, has expired, or was replaced",
            hint="ask whoever runs the console for another one: `safeconduct board invite`",
        )
    _check_member(access, member)
    return member


def _check_member(access: Access, member: str) -> None:
    if member not in access.members():
        raise RefusedError(
            f"{member} sits neither on the board nor on the appeal panel",
            hint="the Gazette says who does",
        )


def user_id(access: Access, member: str) -> bytes:
    """The 32 bytes that an authenticator knows a member by."""
    return tagged_hash("console-member", access.programme, member.encode("utf-8"))


# Signing in and out.


def sign_in_options(access: Access) -> str:
    """The options for whichever authenticator the visitor has."""
    challenge = _challenge(access, _SIGN_IN, b"")
    return passkeys.assertion_options(access.site, challenge=challenge)


def sign_in(access: Access, response: str, replaced: str = "") -> str:
    """The cookie of a new session for the member whose passkey answers.

    It never is one that a browser brought along; `replaced`, if it brought one, ends.

    Raises:
        MalformedError, UnverifiedError: the response does not hold here.
        RefusedError: no passkey of a member, or the page was used before.
    """
    answer = passkeys.parse_answer(response)
    _check_challenge(access, _SIGN_IN, b"", answer.challenge)
    held = access.store.passkey(answer.credential_id)
    if held is None:
        raise RefusedError("no such passkey is known here", hint="it may have been removed")
    _check_member(access, held.member)
    sign_count = passkeys.verify_assertion(
        response, access.site, answer.challenge, held.passkey, user_id(access, held.member)
    )
    cookie, at = access.random_bytes(COOKIE_BYTES).hex(), access.seconds()
    visit = Visit(
        hash=_cookie_hash(cookie),
        member=held.member,
        credential_id=answer.credential_id,
        began_at=at,
        seen_at=at,
    )
    access.store.sweep(at - SESSION_SECONDS, at)
    access.store.sign_in(
        visit, answer.challenge, held.passkey, sign_count, _cookie_hash(replaced)
    )
    return cookie


def session_of(access: Access, request: web.Request) -> Session | None:
    """The session of this browser, if it has one that is still good."""
    cookie = request.cookies.get(access.cookie, "")
    visit = access.store.visit(_cookie_hash(cookie)) if cookie else None
    at = access.seconds()
    if visit is None or not _is_good(visit, at) or visit.member not in access.members():
        return None
    if at - visit.seen_at >= SEEN_EVERY_SECONDS:
        access.store.seen(visit.hash, at)
    return Session(visit=visit, token=_token(cookie))


def _is_good(visit: Visit, at: int) -> bool:
    return at - visit.began_at < SESSION_SECONDS and at - visit.seen_at < IDLE_SECONDS


def set_cookie(access: Access, answer: web.Response, cookie: str) -> web.Response:
    """The answer with the session's cookie: for no script, for no request from elsewhere."""
    answer.set_cookie(
        access.cookie,
        cookie,
        path="/",
        httponly=True,
        samesite="strict",
        secure=access.site.is_encrypted,
    )
    return answer


def check_posted(access: Access, request: web.Request) -> None:
    """Check that a page of this very console posted a form, whoever is signed in.

    Raises:
        RefusedError: the browser says otherwise, or does not say.
    """
    origin = request.headers.get("origin", "")
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    if origin != access.site.origin or fetched != "same-origin":
        raise RefusedError(
            "this form was not sent by a page of this console",
            hint=f"open {access.site.origin}/",
        )


def check_token(session: Session, token: str) -> None:
    """Check that a form belongs to this very session.

    Raises:
        RefusedError: another token, or none.
    """
    if not hmac.compare_digest(token.encode("utf-8", "replace"), session.token.encode("ascii")):
        raise RefusedError("this form is not from this session", hint="open the page again")


def remove(access: Access, session: Session, credential_id: bytes) -> None:
    """Take one of the member's own passkeys out of use, but not the last.

    Raises:
        RefusedError: there is no such passkey, or no other.
    """
    if len(access.store.passkeys(session.member)) < 2:
        raise RefusedError(
            "this is your only passkey",
            hint="add another one first, or ask for a new code with `--lost`",
        )
    access.store.remove(session.member, credential_id, access.seconds(), by=session.member)


def own_passkeys(access: Access, session: Session) -> tuple[MembersKey, ...]:
    """The member's passkeys in use."""
    return access.store.passkeys(session.member)


def _cookie_hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).digest()


def _token(cookie: str) -> str:
    key = hashlib.sha256(b"form" + cookie.encode("ascii", "replace")).digest()
    return derive_key(key, "console-form").hex()


# Challenges.


def _challenge(access: Access, purpose: str, context: bytes) -> bytes:
    expires_at = access.seconds() + passkeys.CEREMONY_SECONDS
    body = u64(expires_at) + access.random_bytes(_RANDOM_BYTES)
    return body + _mac(access, purpose, context, body)


def _check_challenge(access: Access, purpose: str, context: bytes, challenge: bytes) -> None:
    """Check that a challenge is ours, for this purpose, and not too old.

    Raises:
        MalformedError: it has not the length of one.
        UnverifiedError: another purpose, code or process made it, or nobody here.
        RefusedError: it has expired.
    """
    body, mac = challenge[: 8 + _RANDOM_BYTES], challenge[8 + _RANDOM_BYTES :]
    if len(challenge) != 8 + _RANDOM_BYTES + hashlib.sha256().digest_size:
        raise MalformedError("passkey: answers no challenge of this console")
    if not hmac.compare_digest(mac, _mac(access, purpose, context, body)):
        raise UnverifiedError(
            "passkey: answers another page, or one from before the console was started",
            hint="open the page again",
        )
    if access.seconds() >= int.from_bytes(body[:8], "big"):
        raise RefusedError("this page was open for too long", hint="open it again")


def _mac(access: Access, purpose: str, context: bytes, body: bytes) -> bytes:
    key = derive_key(access.key, f"console-{purpose}")
    return hmac.digest(key, context + body, "sha256")
