"""The person's side of a listing: read the whole file, reply to it, appeal the decision.

All of it through one page, at 32 random bytes that stand in the letter and nowhere else. A
reply and an appeal are kept before they are logged: a log that is away makes nobody late.

Spec: docs/3-protocol.md §16.1.
"""

import hashlib
from dataclasses import dataclass

from safeconduct.errors import ConflictError, MalformedError, RefusedError
from safeconduct.parties.registry.duties import law_of, listings_of, standing
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.registrations import Listed
from safeconduct.plumbing.logs import log_leaf, log_record
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.claim import GROUNDS
from safeconduct.protocol.listing.dossier import SALT_BYTES, Dossier
from safeconduct.protocol.listing.hearing import reply_hash
from safeconduct.protocol.record import make_record, record_hash, sign_record
from safeconduct.protocol.registration import Course, Event, Registration, dossier_of
from safeconduct.protocol.statute.text import Statute

TEXT_CHARACTERS_MAX = 20_000
REPLIES_MAX = 20  # of one listing; each is a whole text
WISHES_MAX = 50  # how often somebody may change their mind about being shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """A listing as its person sees it."""

    listed: Listed
    dossier: Dossier
    law: Statute
    found: Registration
    replies: tuple[Event, ...]
    may_reply: bool
    may_appeal: bool

    @property
    def course(self) -> Course:
        """What has happened so far."""
        return self.found.course


def read_hearing(registry: Registry, page: bytes) -> Hearing:
    """All that the person may know, which is all there is.

    Raises:
        RefusedError: there is nothing at this address, or the person was not told yet.
    """
    kept = listings_of(registry)
    listed = kept.at_page(page)
    state = registry.gazette().state
    events = kept.events(listed.number)
    course = kept.course(listed.number)
    if "notified" not in {event.kind for event in events}:
        raise RefusedError("no such page", hint="check the address to the last letter")
    found = standing(registry, state, course)
    last = found.last_appeal_at
    return Hearing(
        listed=listed,
        dossier=dossier_of(course),
        law=law_of(state, course),
        found=found,
        replies=tuple(event for event in events if event.kind == "replied"),
        may_reply=course.state in {"notified", "replied"},
        may_appeal=course.state in {"decided", "final"}
        and not course.appealed
        and last is not None
        and registry.seconds() <= last,
    )


def reply(registry: Registry, page: bytes, text: str) -> bytes:
    """Take a reply in and have it logged; returns the commitment that the Ledger dates.

    The same text again is no error.

    Raises:
        MalformedError: it is empty, too long, or holds characters that cannot be shown.
        RefusedError: nothing at this address, or the decision was made.
    """
    _check_text(text, "reply")
    kept = listings_of(registry)
    listed = kept.at_page(page)
    course = kept.course(listed.number)
    commitment = _held_reply(course, text)
    if commitment is None:
        try:
            commitment = _keep_reply(registry, listed.number, course, text)
        except ConflictError:  # something came between, perhaps this very reply sent twice
            return reply(registry, page, text)
    log_leaf(registry.programme, commitment)
    return commitment


def _held_reply(course: Course, text: str) -> bytes | None:
    held = course.latest.get("replied")
    return bytes.fromhex(held.word("hash")) if held and held.word("text") == text else None


def _keep_reply(registry: Registry, number: int, course: Course, text: str) -> bytes:
    kept = listings_of(registry)
    if course.state not in {"notified", "replied"}:
        raise RefusedError(
            f"a listing that is {course.state} takes no reply",
            hint="what was decided can be appealed",
        )
    if sum(event.kind == "replied" for event in kept.events(number)) >= REPLIES_MAX:
        raise RefusedError(f"{REPLIES_MAX} replies came in already")
    salt = registry.random_bytes(SALT_BYTES)
    notice = course.latest["notified"].word("notice").encode("utf-8")
    commitment = reply_hash(notice, salt, text)
    data = format_json({"hash": commitment.hex(), "salt": salt.hex(), "text": text})
    kept.append(number, Event(kind="replied", at=registry.seconds(), data=data), seen=course)
    return commitment


def appeal(registry: Registry, page: bytes, ground: str, text: str) -> int:
    """Take an appeal in, signed for by the registry, and have it logged; returns when it came.

    It suspends: nothing is shown to anybody until the appeal panel has decided. The same again
    is no error.

    Raises:
        MalformedError: no such ground, or reasons that cannot be shown.
        RefusedError: nothing at this address, nothing to appeal, or too late.
    """
    _check_text(text, "appeal")
    if ground not in GROUNDS:
        raise MalformedError(f"an appeal's ground is one of: {', '.join(sorted(GROUNDS))}")
    kept = listings_of(registry)
    listed = kept.at_page(page)
    course = kept.course(listed.number)
    held = course.latest.get("appealed")
    # Against the decision that stands: one sent back may be followed by another just like it.
    same = held is not None and held.word("text") == text and held.word("ground") == ground
    if not (same and course.appealed):
        event = _appeal_event(registry, course, ground, text)
        course = kept.append(listed.number, event)
    appealed = course.latest["appealed"]
    log_record(registry.programme, appealed.word("record").encode("utf-8"))
    return appealed.at


def _appeal_event(registry: Registry, course: Course, ground: str, text: str) -> Event:
    if "decided" not in course.latest:
        raise RefusedError("there is no decision to appeal yet")
    at = registry.seconds()
    found = standing(registry, registry.gazette().state, course)
    assert found.last_appeal_at is not None
    if at > found.last_appeal_at:
        raise RefusedError("the appeal period is over")
    # The person has no key of their own: the registry signs that this came in at their page.
    record = make_record(
        "appeal",
        programme=registry.programme.hash,
        decision=record_hash(course.latest["decided"].word("decision").encode("utf-8")),
        ground=ground,
        reasons=hashlib.sha256(text.encode("utf-8")).digest(),
        ed25519=registry.key.verifier().public,
    )
    signed = sign_record(record, [registry.key])
    data = format_json({"ground": ground, "record": signed.decode("utf-8"), "text": text})
    return Event(kind="appealed", at=at, data=data)


def dated(registry: Registry, course: Course, kind: str) -> bytes:
    """The Ledger's proof of what the person handed in last, `replied` or `appealed`.

    With it they show that it came in, and when, whatever the registry says later.
    """
    event = course.latest[kind]
    if kind == "replied":
        return log_leaf(registry.programme, bytes.fromhex(event.word("hash")))
    proof, _ = log_record(registry.programme, event.word("record").encode("utf-8"))
    return proof


def consent(registry: Registry, page: bytes, *, shown: bool) -> None:
    """Note whether the person wishes the outside to see that they were listed.

    Raises:
        RefusedError: nothing at this address, nothing was ever shown, or this was changed too
            often: each change is kept for ever.
    """
    kept = listings_of(registry)
    listed = kept.at_page(page)
    data = format_json({"consent": shown})
    held = kept.course(listed.number).latest.get("tombstoned")
    if held is None or held.data != data:
        wishes = sum(event.kind == "tombstoned" for event in kept.events(listed.number))
        if wishes >= WISHES_MAX:
            raise RefusedError(
                f"this was changed {WISHES_MAX} times already", hint="write to the registry"
            )
        kept.append(listed.number, Event(kind="tombstoned", at=registry.seconds(), data=data))


def _check_text(text: str, what: str) -> None:
    shown = text.replace("\n", "").replace("\t", "")
    if not shown.strip():
        raise MalformedError(f"the {what} says nothing")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise MalformedError(f"the {what} is longer than {TEXT_CHARACTERS_MAX} characters")
    if not all(one.isprintable() or one in "\u200c\u200d" for one in shown):
        raise MalformedError(f"the {what} holds characters that cannot be shown")
