"""A listing's course: what may follow what, what is owed, and when all of it ends."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.listing.dossier import Dossier, format_dossier
from safeconduct.protocol.registration import (
    CAUSES,
    STEPS,
    Course,
    Event,
    Registration,
    Terms,
    fold_course,
    fold_registration,
    step,
    terms_of,
    tombstone_is_public,
    unsealed_from,
)
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.instant import Duration
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Statute

DAY = builders.DAY
NOON = builders.NOON
LAW = load_statute(format_json(parse_authored(builders.STATUTE_FILE.read_bytes(), "statute")))
TERMS = terms_of(LAW)
DOSSIER = Dossier(
    subject="r-0001",
    name="Ada Example",
    statute=LAW.sha256,
    assessment={
        "ground": "section 8",
        "role": "head of the shift",
        "conduct": "signed",
        "harm": "goods left",
        "time_since": "three years",
        "weight": "alone responsible",
    },
    effects=("no_public_office",),
    salt=bytes(16),
    identity="passport",
    evidence=("papers",),
    proposer="clerk",
    source="",
    private_salt=bytes(16),
)


def event(kind: str, day: int, **data: Json) -> Event:
    return Event(kind=kind, at=NOON + day * DAY, data=format_json(dict(data)))


def proposed(day: int = 0, dossier: Dossier = DOSSIER) -> Event:
    return Event(kind="proposed", at=NOON + day * DAY, data=format_dossier(dossier))


COURSE = [
    proposed(),
    event("notified", 1, reply_until=NOON + 31 * DAY),
    event("replied", 5, text="no"),
    event("decided", 40, outcome="registered"),
    event("final", 71),
    event("effective", 72, publication=1),
]


def at(day: int, *more: Event, upto: int = len(COURSE), terms: Terms = TERMS) -> Registration:
    return fold_registration([*COURSE[:upto], *more], terms, NOON + day * DAY)


@pytest.mark.parametrize(
    ("upto", "state"),
    list(enumerate(("proposed", "notified", "replied", "decided", "final", "effective"), 1)),
)
def test_the_state_follows_from_the_events(upto: int, state: str) -> None:
    found = at(80, upto=upto)
    assert found.state == state
    assert found.is_public == (state == "effective")
    assert bool(found.effects) == (state == "effective")


@given(st.lists(st.sampled_from(sorted({kind for _, kind in STEPS})), max_size=12))
@settings(max_examples=200, deadline=None)
def test_only_what_the_table_allows_can_follow(kinds: list[str]) -> None:
    course = Course()
    for kind in kinds:
        data: dict[str, Json] = {"outcome": "registered", "result": "uphold"}
        one = proposed() if kind == "proposed" else event(kind, 1, **data)
        allowed = (course.state, kind) in STEPS and not (kind == "appealed" and course.appealed)
        if not allowed:
            with pytest.raises(RefusedError, match="cannot be"):
                step(course, one)
            continue
        due = STEPS[course.state, kind]
        course = step(course, one)
        assert course.state == due


def test_nothing_can_be_decided_on_half_a_file() -> None:
    for field in DOSSIER.assessment:
        partly = {name: text for name, text in DOSSIER.assessment.items() if name != field}
        with pytest.raises(RefusedError, match=field):
            fold_course([proposed(0, replace(DOSSIER, assessment=partly)), COURSE[1]])


def test_a_ground_that_fits_a_whole_class_never_becomes_final() -> None:
    told = dict.fromkeys(DOSSIER.assessment, "was an officer of the directorate")
    with pytest.raises(RefusedError, match="says the same"):
        fold_course([proposed(0, replace(DOSSIER, assessment=told)), *COURSE[1:]])


def test_an_appeal_can_be_made_once_of_each_decision() -> None:
    appeal = event("appealed", 45, text="no")
    upheld = event("appeal_decided", 60, result="uphold")
    found = at(61, appeal, upheld, upto=4)
    assert (found.state, found.course.appealed) == ("final", True)
    with pytest.raises(RefusedError):
        at(61, appeal, upheld, event("appealed", 61), upto=4)
    again = event("decided", 62, outcome="registered")
    remitted = event("appeal_decided", 60, result="remit")
    assert at(63, appeal, remitted, again, event("appealed", 63), upto=4).state == "suspended"


def test_a_listing_ends_with_the_first_second_after_its_time() -> None:
    ends_at = at(80).ends_at
    assert ends_at is not None
    assert fold_registration(COURSE, TERMS, ends_at - 1).state == "effective"
    over = fold_registration(COURSE, TERMS, ends_at)
    assert (over.state, over.cause, over.ended_at) == ("ended", "expired", ends_at)


def duties(found: Registration) -> dict[str, tuple[bool, bool]]:
    return {one.name: (one.done_at is not None, one.breached) for one in found.due}


def test_each_duty_has_its_day_and_its_breach() -> None:
    assert duties(at(10, upto=1)) == {"notice": (False, False)}
    assert duties(at(40, upto=1)) == {"notice": (False, True)}
    assert duties(at(20, upto=2)) == {"notice": (True, False)}
    assert duties(at(40, upto=2)) == {"notice": (True, False), "decision": (False, False)}
    assert duties(at(200, upto=3))["decision"] == (False, True)
    late = at(200, event("appealed", 41, text="no"), upto=4)
    assert duties(late)["appeal"] == (False, True)
    assert duties(at(80))["review"] == (False, False)
    assert duties(at(40 + 367))["review"] == (False, True)
    reviewed = at(40 + 367, event("reviewed", 400, found="it stands"))
    assert [one.breached for one in reviewed.due if one.name == "review"] == [False, False]
    ended = event("ended", 300, cause="quashed", reasons="x")
    assert duties(at(310, ended))["end"] == (False, False)
    assert duties(at(340, ended))["end"] == (False, True)
    assert duties(at(340, ended, event("end_published", 310)))["end"] == (True, False)


def test_no_law_can_put_a_review_off_for_more_than_a_year() -> None:
    decade = Duration(amount=120, unit="months", rounding="down")
    slow = replace(TERMS, listing=replace(TERMS.listing, review_after=decade))
    assert at(80, terms=slow).review_on == at(80).review_on


def test_the_law_may_set_its_own_limits() -> None:
    day = Duration(amount=1, unit="days")
    quick = replace(TERMS, within={**TERMS.within, "listing_notice": day})
    assert duties(at(2, upto=1, terms=quick)) == {"notice": (False, True)}


CONSENT = event("tombstoned", 310, consent=True)
TOMBSTONES: dict[str, tuple[list[Event], str, bool]] = {
    "acquitted with consent": (
        [event("ended", 300, cause="acquitted"), CONSENT],
        "acquitted",
        True,
    ),
    "acquitted without": ([event("ended", 300, cause="acquitted")], "acquitted", False),
    "quashed": ([event("ended", 300, cause="quashed")], "", False),
    "quashed, and the person wishes it": (
        [event("ended", 300, cause="quashed"), CONSENT],
        "",
        True,
    ),
    "withdrawn": ([event("ended", 300, cause="withdrawn")], "", False),
    "replaced": ([event("ended", 300, cause="replaced")], "", True),
}


@pytest.mark.parametrize(("more", "standing", "shown"), TOMBSTONES.values(), ids=TOMBSTONES)
def test_who_may_still_see_it_is_for_the_law_to_say(
    more: list[Event], standing: str, shown: bool
) -> None:
    assert tombstone_is_public(at(320, *more), LAW, standing) is shown


def test_what_nobody_ever_saw_leaves_no_tombstone() -> None:
    dropped = at(50, event("ended", 6, cause="dropped"), upto=3)
    assert not tombstone_is_public(dropped, LAW)
    assert not dropped.is_public


UNSAID: dict[str, Event] = {
    "an identity judged in other words": event("identity", 2, judgement="maybe", evidence="x"),
    "an identity judged on nothing": event("identity", 2, judgement="same", evidence=""),
    "a correction of nothing": event("corrected", 2, field="name", was="a"),
    "data that are a list": Event(kind="identity", at=NOON, data=b"[]"),
}


@pytest.mark.parametrize("one", UNSAID.values(), ids=UNSAID)
def test_an_event_that_says_too_little_is_refused(one: Event) -> None:
    with pytest.raises(MalformedError):
        at(80, one)


def test_every_cause_of_an_end_is_one_that_the_fold_knows() -> None:
    for cause in sorted(CAUSES - {"dropped"}):
        assert at(80, event("ended", 79, cause=cause)).cause == cause
    with pytest.raises(RefusedError):
        at(80, event("ended", 79, cause="forgotten"))


def test_a_law_that_says_nothing_of_listings_lists_nobody() -> None:
    silent = replace(LAW, procedure=replace(LAW.procedure, listing=None))
    with pytest.raises(RefusedError, match="does not say how anybody is listed"):
        terms_of(silent)


def sealing(unseal: Json) -> Statute:
    """The example statute, whose acquittal seals until a day that it computes."""
    document = parse_authored(builders.STATUTE_FILE.read_bytes(), "statute")
    assert isinstance(document, dict)
    outcomes = document["outcomes"]
    assert isinstance(outcomes, list)
    assert isinstance(outcomes[0], dict)
    outcomes[0]["unseal"] = unseal
    return load_statute(format_json(document))


def test_what_is_sealed_opens_on_the_day_that_the_law_computes() -> None:
    law = sealing({"later": ["the_date", {"add": ["the_date", "reply_period"]}]})
    facts = read_facts({"facts": {}, "lists": {}}, law.facts)
    opened = unsealed_from(law, "acquitted", facts, builders.THE_DATE)
    assert opened == builders.THE_DATE + 30 * DAY
    assert unsealed_from(law, "registration_stands", facts, builders.THE_DATE) is None
    with pytest.raises(MalformedError, match="no outcome"):
        unsealed_from(law, "forgiven", facts, builders.THE_DATE)
