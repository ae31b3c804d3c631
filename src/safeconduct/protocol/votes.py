"""Votes: who decided what, who was against it, and who kept out because of a conflict.

    {"on": "5e1c…",                               tree hash of the judgement that was proposed
     "members": ["board/anna", "board/boris", …],   everybody with a say, by key name, sorted
     "votes": [{"member": "board/anna", "vote": "agree", "outcome": "acquitted",
                "reasons": "", "conflict": ""}, …]}                       sorted by member

    agree    for the outcome that the statute yields
    depart   for another outcome that the statute has; needs reasons
    abstain  for none; whoever declares a conflict of interest abstains, and does not sign

A member who is not among the votes did not vote. The document is canonical JSON; its SHA-256 is
the `votes` of the decision record, so that nobody's vote can be changed once it is signed.

Spec: docs/3-protocol.md §15.6.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex, parse_json
from safeconduct.protocol.kinds import MEMBERS_MAX
from safeconduct.protocol.statute.text import Procedure

VOTES_BYTES_MAX = 1 << 20  # 32 members with reasons and conflict of 4,000 characters fit
REASONS_CHARACTERS_MAX = 4_000
NAME_CHARACTERS_MAX = 200  # of a member's key
OUTCOME_CHARACTERS_MAX = 100
VOTES = ("agree", "depart", "abstain")

_TREE_BYTES = 32
_FIELDS = frozenset({"members", "on", "votes"})
_VOTE_FIELDS = frozenset({"conflict", "member", "outcome", "reasons", "vote"})
# Not printable by themselves, but Persian and Arabic words are not written without them.
_JOINERS = frozenset("\u200c\u200d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One member's vote; `outcome` is empty for who abstains."""

    member: str
    vote: str
    outcome: str = ""
    reasons: str = ""
    conflict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """All votes on one proposed judgement, whose tree hash is `on`."""

    on: bytes
    members: tuple[str, ...]
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Votes that carry an outcome: who may sign, who was for something else or for nothing."""

    outcome: str
    in_favour: tuple[str, ...]
    against: tuple[str, ...]
    abstained: tuple[str, ...]  # those with a conflict among them
    conflicted: tuple[str, ...]
    absent: tuple[str, ...]
    departing: bool  # whether the votes for it are votes to depart from the statute


def check_text(text: str, what: str, *, characters_max: int = REASONS_CHARACTERS_MAX) -> str:
    """The text, if it is short enough and all of it can be shown as it stands.

    Raises:
        MalformedError: too long, or a character that hides or turns around what is read.
    """
    if len(text) > characters_max:
        raise MalformedError(f"{what}: longer than {characters_max} characters")
    if not all(one.isprintable() or one in _JOINERS for one in text):
        raise MalformedError(f"{what}: has a character that cannot be shown on one line")
    return text


def votes_document(on: bytes, members: Iterable[str], votes: Iterable[Vote]) -> bytes:
    """The canonical document of these votes, members and votes sorted.

    Raises:
        MalformedError: what `parse_votes` would refuse.
    """
    document = format_votes(
        Ballot(
            on=on,
            members=tuple(sorted(members)),
            votes=tuple(sorted(votes, key=lambda vote: vote.member)),
        )
    )
    parse_votes(document)
    return document


def format_votes(ballot: Ballot) -> bytes:
    """The canonical JSON that `parse_votes` reads."""
    votes: list[Json] = [
        {
            "conflict": vote.conflict,
            "member": vote.member,
            "outcome": vote.outcome,
            "reasons": vote.reasons,
            "vote": vote.vote,
        }
        for vote in ballot.votes
    ]
    return format_json({"members": list(ballot.members), "on": ballot.on.hex(), "votes": votes})


def votes_hash(document: bytes) -> bytes:
    """What a decision record holds of its votes."""
    return hashlib.sha256(document).digest()


def parse_votes(data: bytes) -> Ballot:
    """The votes in `data`, each of them possible by itself.

    Raises:
        MalformedError: too long, not canonical, a field missing or too many, out of order, a
            member twice or not a member, or a vote that contradicts itself.
    """
    return read_votes(parse_json(data, "votes", bytes_max=VOTES_BYTES_MAX))


def read_votes(value: Json) -> Ballot:
    """The votes in a JSON value. Raises as `parse_votes`."""
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise MalformedError("votes: not the fields that votes have")
    members = tuple(_text(name, "votes: members") for name in _list(value, "members"))
    _check_names(members, "members")
    if not 1 <= len(members) <= MEMBERS_MAX:
        raise MalformedError(f"votes: needs 1 to {MEMBERS_MAX} members")
    votes = tuple(
        _read_vote(one, f"votes[{place}]") for place, one in enumerate(_list(value, "votes"))
    )
    _check_names([vote.member for vote in votes], "votes")
    for vote in votes:
        if vote.member not in members:
            raise MalformedError(f"votes: {vote.member} votes without being a member")
    on = parse_hex(_text(value["on"], "votes: on"), _TREE_BYTES, "votes: on")
    return Ballot(on=on, members=members, votes=votes)


def _check_names(names: Sequence[str], what: str) -> None:
    if any(not 0 < len(name) <= NAME_CHARACTERS_MAX for name in names):
        raise MalformedError(f"votes: {what}: a name is empty or too long")
    if list(names) != sorted(set(names)):
        raise MalformedError(f"votes: {what}: not sorted by name, or a name twice")


def _read_vote(value: Json, what: str) -> Vote:
    if not isinstance(value, dict) or value.keys() != _VOTE_FIELDS:
        raise MalformedError(f"{what}: not the fields of a vote")
    texts = {name: _text(text, f"{what}: {name}") for name, text in value.items()}
    vote = Vote(**texts)
    check_text(vote.outcome, f"{what}: outcome", characters_max=OUTCOME_CHARACTERS_MAX)
    check_text(vote.reasons, f"{what}: reasons")
    check_text(vote.conflict, f"{what}: conflict")
    if vote.vote not in VOTES:
        raise MalformedError(f"{what}: a vote is one of {', '.join(VOTES)}")
    if (vote.vote == "abstain") != (not vote.outcome):
        raise MalformedError(f"{what}: who abstains names no outcome, who votes names one")
    if vote.vote == "depart" and not vote.reasons.strip():
        raise MalformedError(f"{what}: a departure from the statute needs reasons")
    if vote.conflict and vote.vote != "abstain":
        raise MalformedError(f"{what}: who has a conflict of interest has no vote")
    return vote


def check_votes(
    document: bytes,
    members: Collection[str],
    threshold: int,
    procedure: Procedure,
    outcome: str,
    *,
    yielded: str | None = None,
    on: bytes | None = None,
) -> Tally:
    """The tally, if these votes carry `outcome`.

    `members` are the key names of the deciding body, of whom `threshold` must sign. `yielded`
    is what the statute gives, and `on` the judgement's tree hash; leave them out only where
    they are not known yet.

    Raises:
        MalformedError: no document of votes.
        UnverifiedError: about another judgement, of another body, a body or a majority smaller
            than the statute asks for, or a vote that calls a departure agreement.
    """
    return tally(
        parse_votes(document), members, threshold, procedure, outcome, yielded=yielded, on=on
    )


def tally(
    ballot: Ballot,
    members: Collection[str],
    threshold: int,
    procedure: Procedure,
    outcome: str,
    *,
    yielded: str | None = None,
    on: bytes | None = None,
) -> Tally:
    """As `check_votes`, for votes that were read before."""
    if on is not None and ballot.on != on:
        raise UnverifiedError("votes: cast on another judgement")
    if set(ballot.members) != set(members):
        raise UnverifiedError("votes: not of the members who decide")
    if len(ballot.members) < procedure.members:
        raise UnverifiedError(
            f"votes: {len(ballot.members)} members decide, the statute asks for "
            f"{procedure.members}"
        )
    if yielded is not None:
        _check_kinds(ballot, yielded)
    found = _count(ballot, outcome)
    needed = max(threshold, procedure.decide_quorum, procedure.votes)
    if len(found.in_favour) < needed:
        raise UnverifiedError(
            f"votes: {len(found.in_favour)} for {outcome}, and {needed} are needed"
        )
    return found


def _check_kinds(ballot: Ballot, yielded: str) -> None:
    for vote in ballot.votes:
        if vote.vote != "abstain" and (vote.vote == "agree") != (vote.outcome == yielded):
            raise UnverifiedError(
                f"votes: {vote.member} votes {vote.vote} for {vote.outcome}, "
                f"and the statute yields {yielded}"
            )


def _count(ballot: Ballot, outcome: str) -> Tally:
    by_kind: Mapping[bool, list[Vote]] = {True: [], False: []}
    for vote in ballot.votes:
        by_kind[vote.vote != "abstain"].append(vote)
    voted, abstained = by_kind[True], by_kind[False]
    cast = {vote.member for vote in ballot.votes}
    carrying = [vote for vote in voted if vote.outcome == outcome]
    kinds = Counter(vote.vote for vote in carrying)
    return Tally(
        outcome=outcome,
        in_favour=tuple(vote.member for vote in carrying),
        against=tuple(vote.member for vote in voted if vote.outcome != outcome),
        abstained=tuple(vote.member for vote in abstained),
        conflicted=tuple(vote.member for vote in abstained if vote.conflict),
        absent=tuple(name for name in ballot.members if name not in cast),
        departing=kinds["depart"] > 0,
    )


def check_signers(counted: Tally, signers: Iterable[str]) -> None:
    """Check that nobody signed a decision whom they had not voted for.

    Raises:
        UnverifiedError: somebody did; the message says who, and how they had voted.
    """
    for name in signers:
        if name in counted.conflicted:
            raise UnverifiedError(f"votes: {name} declared a conflict of interest, and signed")
        if name not in counted.in_favour:
            raise UnverifiedError(f"votes: {name} signed without a vote for {counted.outcome}")


def panel_rules(procedure: Procedure, threshold: int) -> Procedure:
    """The rules for an appeal panel's votes: its own threshold stands for the statute's."""
    return replace(procedure, members=0, votes=0, decide_quorum=threshold)


def check_enough(procedure: Procedure, signers: Collection[str]) -> None:
    """Check that where no votes were recorded, as many signed as the statute wants to vote.

    Raises:
        UnverifiedError: fewer.
    """
    needed = max(procedure.decide_quorum, procedure.votes)
    if len(signers) < needed:
        raise UnverifiedError(
            f"decision: signed by {len(signers)}, the statute asks for {needed}"
        )


def _list(value: Mapping[str, Json], name: str) -> list[Json]:
    found = value[name]
    if not isinstance(found, list):
        raise MalformedError(f"votes: {name} is no list")
    return found


def _text(value: Json, what: str) -> str:
    if not isinstance(value, str):
        raise MalformedError(f"{what} is not text")
    return value
