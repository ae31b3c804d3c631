"""A case's file: what its events hold, read back.

proposed         bundle, claim_proof, draft, judgements, joined
decided          decision, proof, votes, departure
appealed         the signed appeal
appeal_proposed  as `proposed`, with the appeal's proof
appeal_decided   as `decided`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.registry.letter import Letter
from safeconduct.parties.registry.letter_files import LETTERS_FOLDER as LETTERS_FOLDER
from safeconduct.parties.registry.letter_files import keep_letter
from safeconduct.parties.registry.receive import Registry
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.case import Case
from safeconduct.protocol.claim import Bundle, parse_bundle
from safeconduct.protocol.decision import OBJECT_BYTES_MAX, Joined, Proposal, propose, read_law
from safeconduct.protocol.decision.governing import check_moment
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import Record, format_record, parse_record, parse_signed
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.tlog.policy import verify_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What was proposed in a case, by the clerk for the board or for the appeal panel."""

    bundle: Bundle
    claim_proof: bytes
    draft: Record
    judgements: Mapping[str, bool]
    joined: tuple[Joined, ...] = ()
    appeal_proof: bytes = b""

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """The claim, and those that are decided with it."""
        return (self.bundle, *(one.bundle for one in self.joined))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A signed decision as it was entered: its proof, its votes, and reasons to depart."""

    decision: bytes
    proof: bytes
    votes: bytes
    departure: str

    @property
    def record(self) -> Record:
        """The decision record."""
        return parse_signed(self.decision, "decision").record


def format_proposed(proposed: Proposed) -> bytes:
    """What the event `proposed` holds."""
    return format_json(
        {
            "appeal_proof": proposed.appeal_proof.decode("utf-8"),
            "bundle": proposed.bundle.data.decode("utf-8"),
            "claim_proof": proposed.claim_proof.decode("utf-8"),
            "draft": format_record(proposed.draft).decode("ascii"),
            "joined": [
                {
                    "bundle": one.bundle.data.decode("utf-8"),
                    "claim_proof": one.claim_proof.decode("utf-8"),
                }
                for one in proposed.joined
            ],
            "judgements": dict(proposed.judgements),
        }
    )


def read_proposed(case: Case, kind: str = "proposed") -> Proposed:
    """What was proposed last.

    Raises:
        RefusedError: nothing was.
    """
    if kind not in case.latest:
        raise RefusedError("no decision was proposed in this case yet")
    return parse_proposed(case.latest[kind].data)


def parse_proposed(data: bytes) -> Proposed:
    """What `format_proposed` has written."""
    value = _table(parse_json(data, "event", bytes_max=OBJECT_BYTES_MAX))
    joined, judgements = value.get("joined"), _table(value.get("judgements"))
    if not isinstance(joined, list):
        raise _spoilt("joined")
    return Proposed(
        bundle=_bundle(value),
        claim_proof=_bytes(value, "claim_proof"),
        draft=parse_record(_bytes(value, "draft"), "decision"),
        judgements={name: judged is True for name, judged in judgements.items()},
        joined=tuple(
            Joined(bundle=_bundle(_table(one)), claim_proof=_bytes(_table(one), "claim_proof"))
            for one in joined
        ),
        appeal_proof=_bytes(value, "appeal_proof"),
    )


def format_entered(entered: Entered) -> bytes:
    """What the events `decided` and `appeal_decided` hold."""
    return format_json(
        {
            "decision": entered.decision.decode("utf-8"),
            "departure": entered.departure,
            "proof": entered.proof.decode("utf-8"),
            "votes": entered.votes.decode("utf-8"),
        }
    )


def read_entered(case: Case, kind: str = "decided") -> Entered:
    """The decision that was entered. Requires that there is one."""
    value = parse_json(case.latest[kind].data, "event", bytes_max=OBJECT_BYTES_MAX)
    return _entered(_table(value))


def format_remitted(first: Entered, panel: Entered) -> bytes:
    """What `remitted` and `quashed` hold: the decision that fell, and the panel's."""
    pair = {"first": format_entered(first), "panel": format_entered(panel)}
    return format_json({name: data.decode("utf-8") for name, data in pair.items()})


def read_remitted(case: Case) -> tuple[Entered, Entered]:
    """The decision that fell, and the panel's that made it fall."""
    value = _table(
        parse_json(case.latest["remitted"].data, "event", bytes_max=OBJECT_BYTES_MAX)
    )
    first, panel = (
        _entered(_table(parse_json(_bytes(value, name), "event", bytes_max=OBJECT_BYTES_MAX)))
        for name in ("first", "panel")
    )
    return first, panel


def _entered(value: Mapping[str, Json]) -> Entered:
    return Entered(
        decision=_bytes(value, "decision"),
        proof=_bytes(value, "proof"),
        votes=_bytes(value, "votes"),
        departure=_bytes(value, "departure").decode("utf-8"),
    )


def standing_decision(case: Case) -> tuple[str, Entered] | None:
    """Which event holds the decision that counts now, and the decision; None before any."""
    for kind in ("appeal_decided", "decided"):
        if kind in case.latest:
            return kind, read_entered(case, kind)
    return None


def filed_bundle(case: Case) -> Bundle:
    """The claim as it was filed, without what the registry added."""
    return parse_bundle(case.latest["filed"].data)


def repropose(
    registry: Registry, state: GazetteState, proposed: Proposed, record: Record
) -> Proposal:
    """The proposal behind a decision, computed again for the very second it was made for."""
    programme = registry.programme
    return propose(
        proposed.bundle,
        state,
        programme.policy,
        proposed.judgements,
        record.number("as-of"),
        joined=proposed.bundles[1:],
        claimed_at=_claimed_at(registry, proposed),
    )


def check_in_time(
    registry: Registry, state: GazetteState, proposed: Proposed, decided_at: int
) -> None:
    """Check that what was proposed may be decided at `decided_at`, POSIX seconds.

    Raises:
        UnverifiedError: the law has changed since, and it must be proposed again.
    """
    as_of = proposed.draft.number("as-of")
    check_moment(state, as_of, _claimed_at(registry, proposed), decided_at)


def _claimed_at(registry: Registry, proposed: Proposed) -> int:
    programme, claim = registry.programme, proposed.bundle.claim_hash
    logged = verify_proof(
        proposed.claim_proof, claim, programme.policy, programme.ledger_origin
    )
    return logged.logged_by


def receipt_of(registry: Registry, entered: Entered) -> Receipt:
    """The receipt of a decision that was entered."""
    return verify_receipt(
        entered.decision,
        entered.proof,
        registry.programme.policy,
        registry.programme.ledger_origin,
    )


def last_appeal_at(registry: Registry, entered: Entered) -> int:
    """POSIX seconds: the last in which an appeal against a first decision is in time."""
    receipt = receipt_of(registry, entered)
    law = read_law(registry.gazette().state, receipt.record.hash("statute"))
    return appeal_last_at(law, receipt.logged_by)


def case_number(registry: Registry, claim: bytes) -> int:
    """The number of a claim's case, which is its decisions' as well."""
    return next(filed.number for filed in registry.store.cases() if filed.claim == claim)


def serve(registry: Registry, claim: bytes, letter: Letter, kind: str = "") -> Path:
    """Keep a letter for the person of this case; returns where. `kind` tells which it is.

    A letter that is no decision has its kind in its name: `4be0….open.html`.
    """
    stem = f"{claim.hex()}.{kind}" if kind else claim.hex()
    return keep_letter(registry.folder / LETTERS_FOLDER, stem, letter)


def _bundle(value: Mapping[str, Json]) -> Bundle:
    return parse_bundle(_bytes(value, "bundle"))


def _bytes(value: Mapping[str, Json], name: str) -> bytes:
    text = value.get(name)
    if not isinstance(text, str):
        raise _spoilt(name)
    return text.encode("utf-8")


def _table(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise _spoilt("object")
    return value


def _spoilt(name: str) -> MalformedError:
    """The registry has written it itself: something else has written there since."""
    return MalformedError(f"event: no {name}", hint="the register's database is spoilt")
