"""What a source and a desk wait for: a whole sending, a small tip, and many of them opened.

Sending is everything from the words to the date: the words are stretched, the files measured,
sealed and hashed, and the record's hash is committed to a real log on the same disk with two
witnesses beside it. Plain `age` seals the same file in turns with it.

A claim is the whole bundle of a helper, examined as the register does: two signatures by the
author's keys, and three statements dated by the quorum.
"""

from functools import partial
from pathlib import Path

from tests.protocol import builders

from benchmarks import age_once, real_log
from benchmarks.measure import (
    Course,
    Figure,
    Ratio,
    Report,
    at_least,
    at_most,
    figure,
    main,
    seconds,
    timed,
)
from benchmarks.seal import age_seal, in_a_process, size_mib, write_random
from safeconduct.parties.log.config import LEDGER
from safeconduct.parties.log.sequence import Log
from safeconduct.protocol.claim import examine, parse_bundle
from safeconduct.protocol.envelope import Envelope, Source, open_envelope
from safeconduct.protocol.record import format_record, record_hash
from safeconduct.protocol.tip import TipFile

RUNS = 5
_SIZE_MIB, _LARGE_MIB = 1024, 8192
_WANTED_OF_AGE = 0.45
_RSS_MIB_MAX = 80
_TIP_BYTES = 2_000
_SMALL_TIPS, _SMALL_MILLISECONDS_MAX = 200, 60
_OPENED_PER_SECOND = 300
_CLAIMS, _CLAIM_MILLISECONDS_MAX = 100, 10


def benchmark(course: Course) -> Report:
    """A large sending beside plain `age`; small tips, their opening, claims; peak memory."""
    mib = size_mib(course, _SIZE_MIB)
    sent, plain = _large_sendings(course.folder, mib)
    small, opened = _small_tips(course.scaled(_SMALL_TIPS, quick=20))
    claims = _claims(course.scaled(_CLAIMS, quick=20))
    peaks = _peaks(course)
    return Report(
        name="send",
        title=f"Send {mib} MiB, {RUNS} times in turns; small tips and claims",
        figures=(sent, plain, small, opened, claims, *peaks),
        ratios=(
            at_least("send / age", plain.value / sent.value, _WANTED_OF_AGE),
            at_most(small.what, small.value, _SMALL_MILLISECONDS_MAX, " ms"),
            at_least(opened.what, opened.value, _OPENED_PER_SECOND, "/s"),
            at_most(claims.what, claims.value, _CLAIM_MILLISECONDS_MAX, " ms"),
            *(_peak_ratio(each) for each in peaks),
        ),
        bound="SHA-256, twice over each byte: to measure a file, and for the payload's hash, "
        "which another core makes while the file is sealed; for a small tip, Argon2id",
    )


def _peak_ratio(peak: Figure) -> Ratio:
    return at_most(peak.what, peak.value, _RSS_MIB_MAX, " MiB")


def commit(log: Log, envelope: Envelope) -> bytes:
    """Have the record's hash dated by the quorum; returns the proof."""
    promise = log.submit(record_hash(format_record(envelope.record)))
    log.round()
    return log.proof(promise.result(timeout=0))


def _large_sendings(folder: Path, mib: int) -> tuple[Figure, Figure]:
    plain, target = write_random(folder / "plain", mib), folder / "target"
    took: dict[str, list[float]] = {"send": [], "age": []}
    with real_log.found(folder / "log", LEDGER).open() as log:
        for run in range(RUNS):
            entropy = bytes([run + 1] * 16)
            took["send"].append(seconds(partial(_send, log, plain, entropy)))
            took["age"].append(seconds(partial(age_seal, plain, target)))
            target.unlink()
    plain.unlink()
    return figure("whole sending", "s", took["send"]), figure("age", "s", took["age"])


def _send(log: Log, plain: Path, entropy: bytes) -> None:
    envelope = age_once.seal_sources(age_once.file_source(plain), entropy=entropy)
    commit(log, envelope)


def _small_tips(count: int) -> tuple[Figure, Figure]:
    sealing: list[float] = []
    envelopes: list[Envelope] = []
    for number in range(count):
        tip = number.to_bytes(_TIP_BYTES, "big")
        source = Source(name="message.txt", read=partial(_once, tip))
        took, envelope = timed(
            partial(age_once.seal_sources, source, entropy=number.to_bytes(16, "big"))
        )
        sealing.append(1000 * took)
        envelopes.append(envelope)
    delivered = [(each, b"".join(each.payload())) for each in envelopes]
    opening = [1 / seconds(partial(_open, *each)) for each in delivered]
    return (
        figure(f"a tip of {_TIP_BYTES} bytes sealed, from the words on", "ms", sealing),
        figure(f"tips of {_TIP_BYTES} bytes opened by the desk", "/s", opening),
    )


def _once(data: bytes) -> list[bytes]:
    return [data]


def _open(envelope: Envelope, payload: bytes) -> None:
    open_envelope(
        envelope.record, envelope.header, lambda: [payload], [age_once.DESK], _nowhere
    )


def _nowhere(_: TipFile, __: bytes) -> None:
    """What becomes of the files is no part of what is measured."""


def _claims(count: int) -> Figure:
    """Milliseconds to parse and examine a whole bundle."""
    data, state = builders.helped_bundle(), builders.gazette_state()
    found = {"grave_crime_proven": False, "knowing_falsehood_found": False}
    judgements = found | {"claimant_is_subject": True}
    took = [
        1000 * seconds(lambda: examine(parse_bundle(data), state, builders.POLICY, judgements))
        for _ in range(count)
    ]
    return figure("a claim verified", "ms", took)


def _peaks(course: Course) -> list[Figure]:
    """Peak memory of source and desk for a file that fits into no memory; it is of zeros."""
    mib = size_mib(course, _LARGE_MIB)
    plain, sent = course.folder / "large", course.folder / "sent"
    with plain.open("wb") as file:
        file.truncate(mib << 20)
    source = in_a_process("send", plain, sent)
    plain.unlink()
    desk = in_a_process("unseal", sent, plain)
    plain.unlink()
    (sent / "payload").unlink()
    peaks = {"source": source.peak_mib, "desk": desk.peak_mib}
    return [figure(f"{mib} MiB: {who}, peak memory", "MiB", [peaks[who]]) for who in peaks]


if __name__ == "__main__":
    main("send", benchmark)
