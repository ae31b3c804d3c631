"""Cases on the console: who sees what, votes, conflicts, drafts, signatures, the register."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from tests.parties.board.console_world import (
    ACKNOWLEDGED,
    ANNA,
    BORIS,
    CLARA,
    PANEL,
    Browser,
    ConsoleWorld,
    Seen,
    docket,
    served,
    state_with_panel,
)
from tests.protocol.builders import MEMBERS, PERSON, STRANGER, gazette_state

from safeconduct.errors import ConflictError, RefusedError, UnverifiedError
from safeconduct.parties.board import console_store
from safeconduct.parties.board import console_voting as voting
from safeconduct.parties.board.console import APPEAL, GAZETTE_SECONDS
from safeconduct.parties.board.sign import sign_all
from safeconduct.plumbing.database import open_database
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    parse_record,
    parse_signed,
    verify_signers,
)
from safeconduct.protocol.votes import Vote, parse_votes, votes_hash

Browsers = Callable[..., Browser]
AGREE = {"vote": "agree", "after": "0"}
WHY = "The tip was of little use, and everybody knew."


@pytest.fixture
def world(tmp_path: Path) -> ConsoleWorld:
    world = ConsoleWorld(folder=tmp_path)
    world.pull()
    return world


@pytest.fixture
def browser(world: ConsoleWorld) -> Iterator[Browsers]:
    with served(world) as browsers:
        yield browsers


def address(data: bytes | None = None) -> str:
    return f"/dockets/{hashlib.sha256(data or docket()).hexdigest()}"


def agreed(browser: Browsers, *names: str) -> list[Browser]:
    """Browsers of members who have voted as the law proposes."""
    people = [browser(name) for name in names]
    for one in people:
        assert "kept" in one.act(f"{address()}/vote", **AGREE).text
    return people


def drafted(browser: Browsers) -> list[Browser]:
    """Browsers of two members who have voted and made the draft."""
    people = agreed(browser, ANNA, BORIS)
    seen = people[0].act(f"{address()}/draft", outcome="acquitted", without="yes")
    assert "The draft is made" in seen.text
    return people


# The list and the file.


def test_a_member_sees_the_whole_file(browser: Browsers) -> None:
    anna = browser(ANNA)
    assert "your vote" in anna.get("/").text
    seen = anna.get(address())
    assert (seen.status, seen.heading) == (200, "Case 7")
    for part in (PERSON, "acquitted", "r-0001", "On your claim of having helped", "assessor"):
        assert part in seen.text
    picture = anna.get(f"{address()}/proof.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in picture.headers["content-security-policy"]


def test_the_other_body_cannot_even_tell_that_a_case_is_there(
    world: ConsoleWorld, browser: Browsers
) -> None:
    appeal = docket(8, appealed=True)
    world.register.dockets.append(appeal)
    world.pull()
    anna, xenia = browser(ANNA), browser(PANEL[0].name)
    assert "Appeal 8" not in anna.get("/").text
    assert "Case 7" not in xenia.get("/").text
    nowhere = f"/dockets/{'ab' * 32}"
    for part in ("", "/proof.svg", "/decision.record", "/votes.json"):
        hidden, nothing = anna.get(address(appeal) + part), anna.get(nowhere + part)
        assert (hidden.status, nothing.status) == (404, 404)
        assert hidden.text.replace(address(appeal), nowhere) == nothing.text
    assert anna.act(f"{address(appeal)}/vote", **AGREE).status == 404
    assert xenia.get(address()).status == 404
    assert xenia.get(address(appeal)).heading == "Appeal 8"


def test_a_docket_that_does_not_come_out_the_same_is_shown_as_refused(
    world: ConsoleWorld, browser: Browsers
) -> None:
    value = parse_json(docket(), "docket", bytes_max=1 << 21)
    assert isinstance(value, dict)
    tampered = format_json(value | {"shortfalls": ["<script>alert(1)</script>"]})
    world.register.dockets = [tampered]
    world.pull()
    anna = browser(ANNA)
    seen = anna.get("/")
    assert "another shortfalls" in seen.text
    assert hashlib.sha256(tampered).hexdigest() in seen.text
    assert anna.get(address(tampered)).status == 403
    assert anna.act(f"{address(tampered)}/vote", **AGREE).status == 403


def test_whatever_a_register_offers_is_kept_and_shown_as_refused(
    world: ConsoleWorld, browser: Browsers
) -> None:
    nonsense = [b'{"claim":7}', b'"docket"', b"[]"]
    world.register.dockets = [*nonsense, docket()]
    world.pull()
    assert world.console.memory.trouble == ""
    text = browser(ANNA).get("/").text
    assert "Case 7" in text
    for data in nonsense:
        assert hashlib.sha256(data).hexdigest() in text


def test_a_docket_is_looked_at_again_when_the_gazette_has_grown(
    tmp_path: Path,
) -> None:
    world = ConsoleWorld(folder=tmp_path / "later", state=gazette_state())
    world.register.dockets = [docket(8, appealed=True)]
    world.pull()
    with pytest.raises(UnverifiedError, match="no appeal panel"):
        world.file()
    world.state = state_with_panel()
    world.now += GAZETTE_SECONDS
    world.pull()
    assert world.file().body == APPEAL


def test_a_register_cannot_fill_the_disk(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_store, "DOCKETS_HELD_BYTES_MAX", len(docket()) + 10)
    world.register.dockets = [docket(), docket(9)]
    world.pull()
    assert "more dockets than" in world.console.memory.trouble
    assert len(world.console.store.dockets()) == 1


def test_texts_of_others_are_shown_and_do_nothing(browser: Browsers) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"
    anna = browser(ANNA)
    anna.act(f"{address()}/vote", vote="abstain", after="0", reasons=hostile)
    seen = anna.get(address())
    assert "<script>alert" not in seen.text
    assert "<img src=x" not in seen.text
    assert "{{ 7 * 7 }}" in seen.text


# Votes.


def test_votes_of_others_are_shown_to_who_has_voted(browser: Browsers) -> None:
    anna, boris = browser(ANNA), browser(BORIS)
    anna.act(f"{address()}/vote", vote="agree", after="0", reasons="Plain to see.")
    before = boris.get(address()).text
    assert ("Plain to see." in before, f"In so far: {ANNA}" in before) == (False, True)
    boris.act(f"{address()}/vote", **AGREE)
    assert "Plain to see." in boris.get(address()).text


def test_a_vote_can_be_changed_and_both_are_kept(
    world: ConsoleWorld, browser: Browsers
) -> None:
    [anna] = agreed(browser, ANNA)
    after = str(world.standing().last[ANNA])
    anna.act(f"{address()}/vote", vote="abstain", after=after)
    assert world.standing().votes[ANNA].vote == "abstain"
    kinds = [event.kind for event in world.console.store.events(world.file().question.claim)]
    assert kinds == ["vote", "vote"]


def test_a_second_tab_does_not_change_a_vote_unseen(
    world: ConsoleWorld, browser: Browsers
) -> None:
    [anna] = agreed(browser, ANNA)
    seen = anna.act(f"{address()}/vote", vote="abstain", after="0")
    assert (seen.status, "another window" in seen.text) == (409, True)
    assert world.standing().votes[ANNA].vote == "agree"


def test_nobody_votes_for_another(world: ConsoleWorld, browser: Browsers) -> None:
    browser(ANNA).act(f"{address()}/vote", **AGREE, member=BORIS)
    assert set(world.standing().votes) == {ANNA}


NO_VOTES = {
    "depart without reasons": {"vote": "depart", "outcome": "registration_stands"},
    "depart to what is proposed": {"vote": "depart", "outcome": "acquitted", "reasons": "so"},
    "depart to nothing": {"vote": "depart", "reasons": "so"},
    "no outcome of this law": {"vote": "depart", "outcome": "exile", "reasons": "so"},
    "a word of appeals": {"vote": "depart", "outcome": "quash", "reasons": "so"},
    "no vote": {"vote": "perhaps", "outcome": "acquitted"},
    "too long": {"vote": "abstain", "reasons": "x" * 4_001},
    "hidden": {"vote": "abstain", "reasons": "a\u202eb"},
}


@pytest.mark.parametrize("case", NO_VOTES)
def test_what_is_no_vote_is_refused(case: str, world: ConsoleWorld, browser: Browsers) -> None:
    seen = browser(ANNA).act(f"{address()}/vote", **NO_VOTES[case], after="0")
    assert (seen.status, seen.heading) == (400, "Not done")
    assert not world.standing().votes


def test_a_conflict_closes_the_file_and_is_shown_to_the_others(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna, boris = agreed(browser, ANNA, BORIS)
    anna.act(f"{address()}/conflict", conflict="My cousin.")
    closed = anna.get(address()).text
    assert ("My cousin." in closed, PERSON in closed) == (True, False)
    assert anna.get(f"{address()}/proof.svg").status == 404
    assert "My cousin." in boris.get(address()).text
    assert anna.act(f"{address()}/vote", **AGREE).status == 403
    with pytest.raises(RefusedError):
        voting.cast(
            world.console.store,
            world.file().question,
            ANNA,
            Vote(member=ANNA, vote="agree", outcome="acquitted"),
            world.standing().last[ANNA],
            world.now,
        )


def test_a_conflict_stays_when_the_case_is_proposed_anew(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna = browser(ANNA)
    anna.act(f"{address()}/conflict", conflict="My cousin.")
    world.register.dockets = [docket(9)]
    world.pull()
    assert PERSON not in anna.get(address(docket(9))).text
    assert anna.act(f"{address(docket(9))}/vote", **AGREE).status == 403


def test_a_case_that_is_proposed_anew_is_voted_on_anew(
    world: ConsoleWorld, browser: Browsers
) -> None:
    agreed(browser, ANNA, BORIS)
    world.register.dockets = [docket(9)]
    world.pull()
    assert not world.standing().votes
    assert browser(CLARA).act(f"{address()}/vote", **AGREE).status == 403


def test_two_members_at_the_same_second_do_not_lose_a_vote(world: ConsoleWorld) -> None:
    question, barrier = world.file().question, threading.Barrier(3)

    def vote(member: str) -> None:
        barrier.wait()
        given = Vote(member=member, vote="agree", outcome="acquitted")
        voting.cast(world.console.store, question, member, given, 0, world.now)

    threads = [threading.Thread(target=vote, args=(name,)) for name in (ANNA, BORIS, CLARA)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(world.standing().votes) == {ANNA, BORIS, CLARA}


def test_events_are_only_ever_added(world: ConsoleWorld, browser: Browsers) -> None:
    agreed(browser, ANNA)
    database = open_database(world.folder / "console.sqlite", "")
    for statement in ("UPDATE events SET member = 'x'", "DELETE FROM events"):
        with pytest.raises(ConflictError, match="only ever added"), database.write() as writing:
            writing.execute(statement)
    database.close()


# The draft.


def test_the_draft_names_the_votes_and_closes_them(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna, boris = drafted(browser)
    data = anna.http.get(f"{address()}/decision.record").content
    votes = anna.http.get(f"{address()}/votes.json").content
    record = parse_record(data, "decision")
    assert record.hash("votes") == votes_hash(votes)
    assert {vote.member for vote in parse_votes(votes).votes} == {ANNA, BORIS}
    page = boris.get(address()).text
    assert hashlib.sha256(data).hexdigest() in page
    assert "safeconduct board sign decision-7.record --key" in page
    assert browser(CLARA).act(f"{address()}/vote", **AGREE).status == 403


def test_a_draft_needs_votes_enough_and_a_word_on_who_is_missing(browser: Browsers) -> None:
    [anna] = agreed(browser, ANNA)
    draft = f"{address()}/draft"
    assert anna.act(draft, outcome="acquitted", without="yes").status == 403
    agreed(browser, BORIS)
    waiting = anna.act(draft, outcome="acquitted")
    assert (waiting.status, CLARA in waiting.text) == (403, True)
    assert browser(CLARA).act(draft, outcome="acquitted", without="yes").status == 403
    assert anna.act(draft, outcome="acquitted", without="yes").status == 200


def test_a_departure_is_made_with_the_boards_reasons(
    world: ConsoleWorld, browser: Browsers
) -> None:
    people = [browser(name) for name in (ANNA, BORIS)]
    chosen = {"vote": "depart", "outcome": "registration_stands", "after": "0"}
    for one in people:
        one.act(f"{address()}/vote", **chosen, reasons=WHY)
    assert WHY in people[0].get(address()).text
    draft = {"outcome": "registration_stands", "without": "yes"}
    assert people[0].act(f"{address()}/draft", **draft).status == 400
    assert people[0].act(f"{address()}/draft", **draft, departure=WHY).status == 200
    made = world.standing().draft
    assert made is not None
    record = parse_record(made.record)
    assert record.word("outcome") == "registration_stands"
    page = people[1].get(address()).text
    letter = page.partition('aria-label="The letter">')[2].partition("</pre>")[0]
    assert hashlib.sha256(unescape(letter).encode()).digest() == record.hash("reasons")


def test_a_draft_can_be_taken_back_until_enough_have_signed(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna, boris = drafted(browser)
    stale = world.signed(MEMBERS[0])
    boris.act(f"{address()}/reopen")
    assert world.standing().draft is None
    assert anna.upload(f"{address()}/signed", stale).status == 403
    anna.act(f"{address()}/draft", outcome="acquitted", without="yes")
    anna.upload(f"{address()}/signed", world.signed(*MEMBERS[:2]))
    assert boris.act(f"{address()}/reopen").status == 403


# Signatures.


def test_signed_copies_are_joined_and_go_to_the_register(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna, boris = drafted(browser)
    seen = anna.upload(f"{address()}/signed", world.signed(MEMBERS[0]))
    assert "The signatures are kept" in seen.text
    seen = boris.upload(f"{address()}/signed", world.signed(MEMBERS[1]))
    assert "goes to the register" in seen.text
    world.pull()
    [taken] = world.register.taken
    signed = parse_signed(str(taken["signed"]).encode())
    keys = [key.verifier() for key in MEMBERS]
    assert verify_signers(signed, keys, 2) == (ANNA, BORIS)
    assert world.standing().answer == ACKNOWLEDGED
    assert "acknowledged it" in anna.get(address()).text
    assert anna.http.get(f"{address()}/decision.signed").content == signed.data


def test_the_same_copy_again_is_no_error(world: ConsoleWorld, browser: Browsers) -> None:
    anna, _ = drafted(browser)
    copy = world.signed(MEMBERS[0])
    anna.upload(f"{address()}/signed", copy)
    assert "here already" in anna.upload(f"{address()}/signed", copy).text
    assert len(world.standing().lines) == 1


def _spoilt(data: bytes) -> bytes:
    return data.replace(b"outcome acquitted", b"outcome registration_stands")


COPIES: dict[str, tuple[Callable[[ConsoleWorld], bytes], int]] = {
    "another text": (lambda world: _spoilt(world.signed(MEMBERS[0])), 409),
    "by a stranger": (lambda world: world.signed(STRANGER), 403),
    "by who did not vote": (lambda world: world.signed(MEMBERS[2]), 403),
    "twice by one": (lambda world: _doubled(world), 403),
    "by another under the name": (lambda world: _swapped(world), 403),
    "not signed": (lambda world: _draft(world), 400),
    "empty": (lambda world: b"", 400),
    "no text": (lambda world: b"\x00\xff" * 200, 400),
    "huge": (lambda world: b"a" * (RECORD_BYTES_MAX + 1), 400),
    "far too long": (lambda world: b"a" * (1 << 20), 413),
}


def _draft(world: ConsoleWorld) -> bytes:
    draft = world.standing().draft
    assert draft is not None
    return draft.record


def _doubled(world: ConsoleWorld) -> bytes:
    copy = world.signed(MEMBERS[0])
    return copy + copy.rpartition(b"\n\n")[2]


def _swapped(world: ConsoleWorld) -> bytes:
    own, other = world.signed(MEMBERS[0]), world.signed(MEMBERS[1])
    lines = [data.rpartition(b"\n\n")[2].split(b" ") for data in (own, other)]
    head = own.rpartition(b"\n\n")[0]
    blob = lines[0][2][:6] + lines[1][2][6:]
    return head + b"\n\n" + b" ".join([*lines[0][:2], blob])


@pytest.mark.parametrize("case", COPIES)
def test_a_copy_that_does_not_hold_is_refused_and_nothing_of_it_kept(
    case: str, world: ConsoleWorld, browser: Browsers
) -> None:
    anna, _ = drafted(browser)
    make, status = COPIES[case]
    seen = anna.upload(f"{address()}/signed", make(world), "../../../etc/passwd")
    assert (seen.status, seen.heading) == (status, "Not done")
    assert not world.standing().lines
    assert not list(world.folder.glob("**/passwd"))


def test_a_crash_between_signing_and_posting_loses_nothing(world: ConsoleWorld) -> None:
    with served(world) as browsers:
        anna, _ = drafted(browsers)
        world.register.away = True
        anna.upload(f"{address()}/signed", world.signed(*MEMBERS[:2]))
        world.pull()
        assert "does not answer" in anna.get(address()).text
    world.start()
    world.register.away, world.register.forgets = False, True
    world.pull()
    assert not world.standing().posted_at
    world.start()
    world.pull()
    assert world.standing().posted_at
    assert len(world.register.taken) == 1


def test_why_the_register_refuses_is_shown_and_it_is_asked_again(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna, _ = drafted(browser)
    anna.upload(f"{address()}/signed", world.signed(*MEMBERS[:2]))
    world.register.refuses = "another decision was entered\nhint: look at the case"
    world.pull()
    world.pull()
    seen = anna.get(address()).text
    assert "another decision was entered" in seen
    assert "What to do: look at the case" in seen
    claim = world.file().question.claim
    kinds = [event.kind for event in world.console.store.events(claim)]
    assert kinds.count("trouble") == 1
    world.register.refuses = ""
    world.pull()
    assert world.standing().posted_at


def test_an_appeal_is_decided_by_the_panel_that_may_let_the_decision_fall(
    world: ConsoleWorld, browser: Browsers
) -> None:
    world.register.dockets = [docket(8, appealed=True)]
    world.pull()
    people = [browser(key.name) for key in PANEL[:2]]
    where = address(docket(8, appealed=True))
    for one in people:
        one.act(f"{where}/vote", **AGREE)
    people[0].act(f"{where}/draft", outcome="acquitted", without="yes")
    draft = world.standing().draft
    assert draft is not None
    assert parse_record(draft.record).word("result") == "uphold"
    signed = sign_all(draft.record, PANEL[:2])
    assert isinstance(people[1].upload(f"{where}/signed", signed), Seen)
    world.pull()
    assert len(world.register.taken) == 1
