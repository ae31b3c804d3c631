"""The other six checks: whether what is published follows from law, evidence and Gazette.

The same functions that made these objects make them again; nothing is taken from a file that
can be computed. Where a file and the Gazette differ, the Gazette is right: the quorum saw it.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from itertools import chain, groupby

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.contested import (
    Seen,
    beside,
    find_contested,
    find_helped_two,
    find_receipts,
    told,
)
from safeconduct.parties.auditor.credits import find_redeemed
from safeconduct.parties.auditor.finding import (
    Failed,
    Findings,
    Passed,
    attempt,
    failed_by,
    show_instant,
)
from safeconduct.parties.auditor.ground import Ground
from safeconduct.parties.auditor.tree import (
    check_nothing_unsigned,
    check_stands,
    verify_checkpoint,
)
from safeconduct.parties.auditor.unsealing import (
    find_unsealed,
    opens_nothing,
    recompute_decision,
)
from safeconduct.protocol import decision, listing
from safeconduct.protocol.evidence.capture import (
    PUBLIC_BYTES_MAX,
    address_hash,
    check_capture,
    parse_capture,
    public_hash,
)
from safeconduct.protocol.gazette import StatuteVersion
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import RECORD_BYTES_MAX, Record, parse_record, parse_signed
from safeconduct.protocol.statute.lint import lint
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import STATUTE_BYTES_MAX
from safeconduct.protocol.tlog.proof import PROOF_BYTES_MAX

REGISTER_BYTES_MAX = 64 << 20


def find_statutes(ground: Ground) -> Findings:
    """Whether each law shown is the Gazette's, and judges its own cases as it says."""
    versions = ground.state.statutes
    names = {f"statutes/{version.number}.json" for version in versions}
    for name in ground.folder.names("statutes"):
        if name in names:
            continue
        yield Failed(
            file=name,
            found="a statute",
            expected=f"none: the Gazette has {len(versions)} versions",
            proves=finding.LAW_SHOWN,
        )
    for version in versions:
        yield from _find_statute(ground, version)


def _find_statute(ground: Ground, version: StatuteVersion) -> Findings:
    name = f"statutes/{version.number}.json"
    place = f"the law in entry {version.index} of the Gazette"
    yield from attempt(
        lambda: _check_bytes(ground, name, version.law, STATUTE_BYTES_MAX),
        name,
        f"SHA-256 {version.sha256.hex()}, {place}",
        finding.LAW_SHOWN,
    )
    statute = load_statute(version.law)
    for complaint in lint(statute):
        yield Failed(
            file=name,
            found=str(complaint),
            expected="a law without such faults, borne out by its own cases",
            proves=finding.LAW_FAULTY,
            stands_alone=ground.held["gazette"],
        )
    yield Passed(
        computed_from=f"version {version.number}, SHA-256 {version.sha256.hex()}: {place}; "
        f"its {len(statute.cases)} own cases judged again"
    )


def _check_bytes(ground: Ground, name: str, due: bytes, bytes_max: int) -> None:
    found = ground.folder.read(name, bytes_max=bytes_max)
    if found != due:
        raise UnverifiedError(f"SHA-256 {hashlib.sha256(found).hexdigest()}")


def find_captures(ground: Ground) -> Findings:
    """Whether each capture follows from its own text, and its record stands in the Ledger."""
    programme = ground.state.programme
    count = 0
    # The names come sorted, so those of one capture come together.
    for folder, _ in groupby(ground.folder.names("captures"), key=_parent):
        yield from _find_capture(ground, folder, programme)
        count += 1
        ground.course.progress.tick(count, None, "captures")
    yield Passed(
        computed_from=f"captures: {count}; title and statements found again in each, "
        f"each receipt verified and looked up in the Ledger copy"
    )


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _find_capture(ground: Ground, folder: str, programme: Record) -> Findings:
    public, record = f"{folder}/public.json", f"{folder}/capture.record"
    yield from attempt(
        lambda: _check_public(ground, public),
        public,
        "what follows from its own text, in a folder called after its SHA-256",
        finding.CAPTURE_FAULTY,
    )
    yield from attempt(
        lambda: _check_capture_record(ground, record, public, programme),
        record,
        "the record of the public part beside it",
        finding.CAPTURE_FAULTY,
    )
    proof = f"{folder}/capture.tlog-proof"
    yield from attempt(
        lambda: _check_capture_proof(ground, proof, record, programme),
        proof,
        "a receipt of the record beside it, borne out by the Ledger copy",
        finding.RECEIPT_FAULTY,
    )


def _check_public(ground: Ground, name: str) -> None:
    data = ground.folder.read(name, bytes_max=PUBLIC_BYTES_MAX)
    digest = public_hash(data).hex()
    if digest != name.split("/")[1]:
        raise UnverifiedError(f"SHA-256 {digest}")
    check_capture(data)


def _check_capture_record(ground: Ground, name: str, public: str, programme: Record) -> None:
    data = ground.folder.read(public, bytes_max=PUBLIC_BYTES_MAX)
    capture = parse_capture(data)
    record = parse_record(ground.folder.read(name, bytes_max=RECORD_BYTES_MAX), "capture")
    due: dict[str, bytes | int] = {
        "programme": programme.hash("programme"),
        "address": address_hash(capture.address),
        "raw": capture.raw_sha256,
        "public": public_hash(data),
        "captured": capture.captured_at,
    }
    wrong = [field for field, value in due.items() if record.values[field] != value]
    if wrong:
        raise UnverifiedError(f"another value of {', '.join(wrong)}")


def _check_capture_proof(ground: Ground, name: str, record: str, programme: Record) -> None:
    data = ground.folder.read(record, bytes_max=RECORD_BYTES_MAX)
    proof = ground.folder.read(name, bytes_max=PROOF_BYTES_MAX)
    receipt = verify_receipt(data, proof, ground.policy, programme.word("ledger"))
    check_nothing_unsigned(proof, receipt.logged.origin, ground.policy)
    check_stands(ground.whole_ledger, receipt.logged, receipt.record_hash)


def find_publications(ground: Ground) -> Findings:
    """Whether each publication's object is shown, nothing else is, and listings are whole."""
    publications = ground.state.publications
    names = [_object_name(ground, publication) for publication in publications]
    shown = zip(names, publications, strict=True)
    for count, (name, publication) in enumerate(shown, start=1):
        yield from _find_object(ground, name, publication)
        ground.course.progress.tick(count, len(names), "objects")
    named = frozenset(names)
    for name in chain(ground.folder.names("decisions"), ground.folder.names("listings")):
        if name in named:
            continue
        yield Failed(
            file=name,
            found="an object",
            expected="none: no publication in the Gazette names it",
            proves=finding.OBJECT_FAULTY,
        )
    if ground.held["gazette"]:
        yield from _find_early(ground, dict(zip(names, publications, strict=True)))
    decisions = sum(name.startswith("decisions/") for name in names)
    yield Passed(
        computed_from=f"publications in the Gazette: {len(names)}; objects: "
        f"decisions {decisions}, listings {len(names) - decisions}"
    )


def _find_early(ground: Ground, publications: Mapping[str, Record]) -> Findings:
    """Publications that stand in a Gazette dated before they say that they became final."""
    seen_by = verify_checkpoint(ground.gazette, ground.policy).vouched_at
    for name, publication in publications.items():
        if publication.number("final") > seen_by:
            yield Failed(
                file=name,
                found=f"published by {show_instant(seen_by)}",
                expected=f"not before it is final, at "
                f"{show_instant(publication.number('final'))}",
                proves=finding.PUBLISHED_EARLY,
                stands_alone=True,
            )


def _object_name(ground: Ground, publication: Record) -> str:
    """Where the object lies; one that lies nowhere is missed among the listings."""
    name = f"{publication.hash('object').hex()}.json"
    decided = f"decisions/{name}"
    return decided if ground.folder.holds(decided) else f"listings/{name}"


def _find_object(ground: Ground, name: str, publication: Record) -> Findings:
    yield from attempt(
        lambda: _check_object(ground, name, publication),
        name,
        f"the object of publication {publication.number('number')} in the Gazette",
        finding.OBJECT_FAULTY,
    )


def _check_object(ground: Ground, name: str, publication: Record) -> None:
    data = ground.folder.read(name, bytes_max=decision.OBJECT_BYTES_MAX)
    digest = hashlib.sha256(data).digest()
    if digest != publication.hash("object"):
        raise UnverifiedError(f"SHA-256 {digest.hex()}")
    if name.startswith("decisions/"):
        return  # what a decision says is the next check's
    standing = publication.word("standing")
    if standing in listing.END_CAUSES:
        listing.check_end(data, publication.word("subject"), standing)
        return
    listing.check_listing(data, publication)
    if publication.word("standing") != listing.REGISTERED:
        raise MalformedError(f"a listing published as {publication.word('standing')}")


def find_decisions(ground: Ground) -> Findings:
    """Whether each decision comes out the same, and was logged as its receipt says.

    Facts on sealed evidence are the board's word, unless somebody handed over what opens it:
    that is said, and counted apart.
    """
    state = ground.state
    seen = Seen()
    kinds: Counter[str] = Counter()
    left = set(ground.unsealed)
    for count, publication in enumerate(state.publications):
        ground.course.progress.tick(count, len(state.publications), "publications")
        name = _object_name(ground, publication)
        if not name.startswith("decisions/"):
            continue
        try:
            data = ground.folder.read(name, bytes_max=decision.OBJECT_BYTES_MAX)
            left.discard(publication.hash("object"))
            found, vain = recompute_decision(ground, data, publication)
        except SafeconductError as error:
            due = f"what law and evidence give for {publication.word('subject')}"
            yield failed_by(error, name, due, finding.DECISION_FAULTY)
            continue
        yield from vain
        yield from find_receipts(ground, name, found)
        yield from find_contested(name, found, seen)
        yield _passed(found)
        favours = decision.favours_person(publication, state)
        yield from find_redeemed(ground, name, found, favours=favours)
        if favours:
            yield from find_helped_two(name, found, seen)
        kinds[found.evidence] += 1
    for sha256 in sorted(left):
        yield opens_nothing(sha256, "what unseals it, and no such published decision")
    yield from find_unsealed(ground)
    yield Passed(
        computed_from=f"decisions recomputed from their evidence: {kinds['disclosed']}"
        + (f"; from what unseals them: {kinds['unsealed']}" if kinds["unsealed"] else "")
        + f"; on facts asserted by the board: {kinds['committed']}; the Gazette and the Ledger "
        "copy"
    )


def _passed(found: decision.Rechecked) -> Passed:
    return Passed(
        computed_from=f"{found.subject}: {told(found)}; {_FACTS[found.evidence]}"
        f"{beside(found)}; signed by {', '.join(found.signers)}; "
        f"entry {found.logged.index} of the Ledger",
        asserted=found.evidence == "committed",
        unsealed=found.evidence == "unsealed",
    )


_FACTS = {
    "disclosed": "evidence disclosed",
    "unsealed": "evidence sealed, and opened",
    "committed": "facts asserted by the board, not recomputed",
}


def find_register(ground: Ground) -> Findings:
    """Whether the register is the fold of all publications, byte for byte."""
    lines = listing.fold_register(ground.state.publications)
    due = listing.format_register(lines)
    yield from attempt(
        lambda: _check_bytes(ground, "register.json", due, REGISTER_BYTES_MAX),
        "register.json",
        f"SHA-256 {hashlib.sha256(due).hexdigest()}, folded from the publications",
        finding.REGISTER_FAULTY,
    )
    yield Passed(
        computed_from=f"publications: {len(ground.state.publications)}, "
        f"folded into lines: {len(lines)}"
    )


def find_count(ground: Ground) -> Findings:
    """Whether the board's newest count had published as many decisions as stood there then."""
    counts = ground.state.counts
    # Which publications are decisions is seen by their objects: a file that somebody dropped
    # must not make the board's count look false.
    ground.need("publications", "every publication's object")
    if not counts:
        yield Passed(computed_from="nothing: the Gazette holds no count yet")
        return
    index, published = _decisions_before(ground, counts[-1])
    stated = counts[-1].number("published")
    if stated != published:
        yield Failed(
            file=ground.gazette.bundle_file(index),
            found=f"count {counts[-1].number('number')} says {stated} decisions are published",
            expected=f"{published}, which stand in the Gazette before it",
            proves=finding.COUNT_FAULTY,
            stands_alone=ground.held["gazette"],
        )
    yield Passed(
        computed_from=f"count {counts[-1].number('number')}: {counts[-1].number('claims')} "
        f"claims, {counts[-1].number('decided')} decided, "
        f"{counts[-1].number('suspended')} suspended, {stated} published; "
        f"decisions before it in the Gazette: {published}"
    )


def _decisions_before(ground: Ground, count: Record) -> tuple[int, int]:
    """The index of that count in the Gazette, and how many decisions stand before it."""
    published = 0
    for index, entry in enumerate(ground.gazette.entries()):
        record = parse_signed(entry).record
        if record == count:
            return index, published
        if record.kind == "publication":
            published += _object_name(ground, record).startswith("decisions/")
    raise UnverifiedError("the count is not among the Gazette's entries")
