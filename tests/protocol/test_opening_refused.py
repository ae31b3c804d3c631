"""Openings that are refused: another key, payload, list, hand or time than was sealed with.

The numbers in brackets are places where a naive build goes wrong.
"""

import hashlib
import tarfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.protocol.builders import (
    DAY,
    DESK,
    FILES,
    NOON,
    OUR_WITNESS,
    PROGRAMME,
    STRANGER,
    capture_record,
    prove,
    public_capture,
    seal,
    sealed,
    source_keys,
    statements,
)
from tests.protocol.opening_builders import (
    LATER,
    SHOWN,
    answered,
    by_desk,
    by_source,
    contents,
    other_payload,
    payload,
    unanswered,
    verify,
)
from tests.protocol.test_envelope import two_readings

from safeconduct.errors import (
    MalformedError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.protocol import age
from safeconduct.protocol.keys import key_commitment
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.opening import (
    HiddenItem,
    OpeningBundle,
    select_items,
    sign_desk_opening,
    sign_source_opening,
)
from safeconduct.protocol.receipt import STATEMENT_GRACE_SECONDS
from safeconduct.protocol.record import Record, format_record, record_hash
from safeconduct.protocol.tip import (
    Manifest,
    container_chunks,
    content_commitment,
    member_header,
    padded_size,
)
from safeconduct.protocol.tlog.note import SigningKey

# The whole tip: one key, one payload, one reading.


WHOLE: dict[str, tuple[Callable[[], OpeningBundle], Callable[[], bytes], str]] = {
    "the file key of another tip": (
        lambda: replace(by_source(), file_key=seal(number=1).file_key),
        payload,
        "not the one committed to",
    ),
    "the payload of another tip": (by_source, other_payload, "payload is not the one"),
    "key and payload of another tip": (
        lambda: replace(by_source(), file_key=seal(number=1).file_key),
        other_payload,
        "payload is not the one",
    ),
    "a payload cut short": (by_source, lambda: payload()[:-1], "payload is not the one"),
    "no file key": (
        lambda: replace(by_source(), file_key=b""),
        payload,
        "without its file key",
    ),
    "some files instead of all": (
        lambda: replace(by_source(), items=select_items(contents(), SHOWN)),
        payload,
        "its scope",
    ),
}


@pytest.mark.parametrize(("bundle", "data", "reason"), WHOLE.values(), ids=WHOLE)
def test_another_key_or_payload_than_the_ones_committed_to_is_refused(
    bundle: Callable[[], OpeningBundle], data: Callable[[], bytes], reason: str
) -> None:
    with pytest.raises(UnverifiedError, match=reason):
        verify(bundle(), data())


def test_a_whole_tip_without_its_payload_says_which_bytes_are_missing() -> None:
    with pytest.raises(UnavailableError, match=sealed().record.hash("payload").hex()):
        verify(by_source(), b"")


def with_record(
    record: Record, places: tuple[int, ...] = (), file_key: bytes | None = None
) -> OpeningBundle:
    """Our opening, of a record that says what it likes; everything is signed for it."""
    data = format_record(record)
    opening = sign_source_opening(
        source_keys(),
        sealed().pre,
        programme=PROGRAMME,
        record=record_hash(data),
        purpose="court",
        places=places,
    )
    return replace(
        by_source(),
        opening=opening,
        opening_proof=prove(record_hash(opening), LATER),
        record=data,
        proof=prove(record_hash(data)),
        file_key=file_key or sealed().file_key,
    )


def changed(record: Record, **fields: bytes | int) -> Record:
    return replace(record, values={**record.values, **fields})


def test_of_one_payload_with_two_readings_the_commitment_leaves_one() -> None:
    """[1] Both keys open it; the record says with which of them it was sealed."""
    one, two, nonce = bytes(15) + b"1", bytes(15) + b"2", bytes(16)
    double = two_readings(one, two, nonce)
    assert [len(b"".join(age.open_stream(key, [double]))) for key in (one, two)] == [65_536] * 2
    record = changed(
        sealed().record,
        payload=hashlib.sha256(double).digest(),
        size=len(double),
        keycommit=key_commitment(nonce, one),
    )
    with pytest.raises(UnverifiedError, match="not the one committed to"):
        verify(with_record(record, file_key=two), double)
    with pytest.raises(MalformedError, match="manifest"):
        verify(with_record(record, file_key=one), double)


def manifest() -> Manifest:
    """The manifest that stands in our contribution."""
    return open_with_key(
        sealed().record, sealed().file_key, lambda: [payload()], lambda file, chunk: None
    )


def resealed(container: bytes, **fields: bytes) -> tuple[Record, bytes]:
    """Our record, made to commit to these bytes as its container, under our file key."""
    data = b"".join(age.seal_stream(sealed().file_key, payload()[:16], [container]))
    record = changed(
        sealed().record, payload=hashlib.sha256(data).digest(), size=len(data), **fields
    )
    return record, data


def reader(data: bytes) -> Callable[[], list[bytes]]:
    return lambda: [data]


def container() -> bytes:
    return b"".join(container_chunks(manifest(), [reader(data) for data in FILES.values()]))


def padded(data: bytes) -> bytes:
    return data.ljust(padded_size(len(data)), b"\0")


def ends(data: bytes) -> bytes:
    """The container up to the end of its last member."""
    members = data.rstrip(b"\0")
    return members + bytes(-len(members) % 512)


def member(**fields: bytes) -> bytes:
    """A tar header for `f0001` with other type, name or link, its checksum right."""
    info = tarfile.TarInfo(fields.get("name", b"f0001").decode())
    info.type = fields.get("type", tarfile.REGTYPE)
    info.linkname = fields.get("linkname", b"").decode()
    info.size = 0 if info.type != tarfile.REGTYPE else len(FILES["message.txt"])
    info.mode = 0o644
    return info.tobuf(format=tarfile.USTAR_FORMAT)


def instead(header: bytes) -> bytes:
    """Our container with another header before its first file."""
    first = member_header("f0001", len(FILES["message.txt"]))
    assert container().count(first) == 1
    return container().replace(first, header)


def _bomb() -> bytes:
    """A first member that says it is 8 GiB long."""
    return instead(member_header("f0001", (8 << 30) - 1))


TAR_TRICKS: dict[str, Callable[[], bytes]] = {
    "a symbolic link": lambda: instead(member(type=b"2", linkname=b"/etc/passwd")),
    "a hard link": lambda: instead(member(type=b"1", linkname=b"../../key")),
    "an absolute name": lambda: instead(member(name=b"/etc/cron.d/x")),
    "a name that climbs": lambda: instead(member(name=b"../f0001")),
    "a device": lambda: instead(member(type=b"3")),
    "a pipe": lambda: instead(member(type=b"6")),
    "a folder": lambda: instead(member(type=b"5")),
    "a long name's extension": lambda: instead(member(type=b"L")),
    "a pax extension": lambda: instead(member(type=b"x")),
    "a duplicate": lambda: padded(ends(container()) + member_header("f0001", 0)),
    "a bomb": _bomb,
    "another size class": lambda: container() + bytes(65_536),
    "bytes in the padding": lambda: container()[:-1] + b"x",
}


@pytest.mark.parametrize("trick", TAR_TRICKS.values(), ids=TAR_TRICKS)
def test_a_container_with_tricks_in_it_is_refused(trick: Callable[[], bytes]) -> None:
    """[20] Sealed by its author, opened with the right key: only the strict reader is left."""
    record, data = resealed(trick())
    with pytest.raises(MalformedError, match="tip: "):
        verify(with_record(record), data)


@pytest.mark.parametrize("field", ["author", "content"])
def test_inside_and_outside_must_be_the_same(field: str) -> None:
    """[2] Somebody else's ciphertext under an author value of one's own."""
    outside = {"author": source_keys().author(sealed().pre), "content": bytes(32)}
    inner = replace(manifest(), author=bytes(32)) if field == "author" else manifest()
    made = b"".join(container_chunks(inner, [reader(data) for data in FILES.values()]))
    record, data = resealed(made, **{field: outside[field]})
    with pytest.raises(UnverifiedError, match=f"the {field} inside"):
        verify(with_record(record), data)


# Some files: the list must be known to be true.


FALSE_FILES: dict[str, tuple[Callable[[], OpeningBundle], str]] = {
    "nobody vouches": (lambda: unanswered(by_source(SHOWN)), "desk's answer is not shown"),
    "the desk said mismatch": (lambda: answered(by_source(SHOWN), "mismatch"), "says mismatch"),
    "the desk said duplicate": (
        lambda: answered(by_source(SHOWN), "duplicate"),
        "says duplicate",
    ),
    "the desk said unreadable": (
        lambda: answered(by_source(SHOWN), "unreadable"),
        "says unreadable",
    ),
    "a file key, but nothing that it opens": (
        lambda: replace(unanswered(by_source(SHOWN)), file_key=sealed().file_key),
        "nothing shows that these files were sealed",
    ),
    "the desk's word came long after its epoch": (
        lambda: answered(by_source(SHOWN), at=NOON + 6 * DAY + STATEMENT_GRACE_SECONDS + 1),
        "long after desk epoch 1",
    ),
    "the desk's word came before its epoch": (
        lambda: answered(by_source(SHOWN), at=NOON - 2 * DAY),
        "before desk epoch 1 opened",
    ),
    "files that were not signed for": (
        lambda: replace(by_source(SHOWN), items=select_items(contents(), (1, 2, 3))),
        "not those that were signed for",
    ),
    "nothing but hidden files": (
        lambda: replace(
            by_source(SHOWN),
            items=tuple(HiddenItem(place=place, commitment=bytes(32)) for place in range(1, 4)),
        ),
        "its scope",
    ),
    "a file of another tip": (
        lambda: replace(by_source(SHOWN), items=select_items(contents(seal(number=1)), SHOWN)),
        "not those the tip commits to",
    ),
    "a file fewer": (
        lambda: replace(by_source((1,)), items=select_items(contents(), (1,))[:2]),
        "not those the tip commits to",
    ),
}


@pytest.mark.parametrize(("bundle", "reason"), FALSE_FILES.values(), ids=FALSE_FILES)
def test_files_that_nothing_shows_to_have_been_sealed_are_refused(
    bundle: Callable[[], OpeningBundle], reason: str
) -> None:
    with pytest.raises(UnverifiedError, match=reason):
        verify(bundle(), b"")


def test_a_false_content_root_is_found_out_by_the_file_key() -> None:
    """[14] A harmless letter was sealed; outside stands the commitment to another."""
    false = tuple(
        replace(file, sha256=hashlib.sha256(b"false").digest()) for file in contents()
    )
    false = tuple(replace(file, size=5) for file in false)
    record = changed(sealed().record, content=content_commitment(false))
    partial = replace(with_record(record, (1,)), items=select_items(false, (1,)))
    with pytest.raises(UnverifiedError, match="the content inside is not the one outside"):
        verify(partial, files=lambda place: [b"false"])
    with pytest.raises(UnverifiedError, match="nothing shows"):
        verify(replace(partial, file_key=b""), b"", files=lambda place: [b"false"])


BYTES: dict[str, bytes] = {
    "another file": b"x" * len(FILES["message.txt"]),
    "one byte more": FILES["message.txt"] + b"\n",
    "one byte fewer": FILES["message.txt"][:-1],
    "nothing": b"",
}


@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES)
def test_a_file_with_other_bytes_than_were_sealed_is_refused(data: bytes) -> None:
    with pytest.raises(UnverifiedError, match="file 1 is not the one"):
        verify(by_source((1,)), b"", files=lambda place: [data])


def test_files_that_are_not_there_are_asked_for() -> None:
    with pytest.raises(UnavailableError, match="not here"):
        verify(by_source(SHOWN), b"", files=None)


# Who signs.


def relogged(bundle: OpeningBundle, opening: bytes, at: int = LATER) -> OpeningBundle:
    proof = prove(record_hash(opening), at)
    return replace(bundle, opening=opening, opening_proof=proof)


def by_the_desks(
    key: SigningKey = DESK,
    epoch: int = 1,
    programme: bytes = PROGRAMME,
    record: bytes | None = None,
    places: tuple[int, ...] = (),
) -> bytes:
    """An opening by the desk in which something is not as it should be."""
    return sign_desk_opening(
        key,
        epoch,
        programme=programme,
        record=record or record_hash(statements().record),
        purpose="court",
        places=places,
    )


SIGNERS: dict[str, tuple[Callable[[], OpeningBundle], str]] = {
    "another tip's author": (lambda: by_source(number=1), "not signed by the author"),
    "a stranger in the desk's place": (
        lambda: relogged(by_desk(), by_the_desks(STRANGER)),
        "who has no say here",
    ),
    "a desk epoch nobody certified": (
        lambda: relogged(by_desk(), by_the_desks(epoch=2)),
        "never certified",
    ),
    "the key of an epoch long closed": (
        lambda: relogged(
            by_desk(), by_desk().opening, NOON + 6 * DAY + STATEMENT_GRACE_SECONDS + 1
        ),
        "long after desk epoch 1",
    ),
    "the desk, before its epoch": (
        lambda: relogged(by_desk(), by_desk().opening, NOON - 2 * DAY),
        "before desk epoch 1 opened",
    ),
    "the desk, unlogged": (
        lambda: replace(by_desk(), opening_proof=b""),
        "only once it is logged",
    ),
    "an opening of another tip": (
        lambda: relogged(by_desk(), by_the_desks(record=bytes(32))),
        "made for another tip",
    ),
    "an opening in another programme": (
        lambda: relogged(by_desk(), by_the_desks(programme=bytes(32))),
        "made for another programme",
    ),
    "an opening of some files for all": (
        lambda: relogged(by_desk(), by_the_desks(places=(1,))),
        "its scope",
    ),
    "the receipt of another opening": (
        lambda: replace(by_source(), opening_proof=by_desk().opening_proof),
        "does not lead to the root",
    ),
    "a date of one witness alone": (
        lambda: replace(
            by_source(),
            proof=prove(record_hash(statements().record), witnesses=(OUR_WITNESS,)),
        ),
        "quorum",
    ),
    "a certificate nobody published": (
        lambda: with_record(changed(sealed().record, certificate=bytes(32))),
        "nobody certified",
    ),
    "a law nobody published": (
        lambda: with_record(changed(sealed().record, statute=bytes(32))),
        "never published",
    ),
    "a tip of another programme": (
        lambda: with_record(changed(sealed().record, programme=bytes(32))),
        "another programme",
    ),
    "the desk's word on another tip": (
        lambda: answered(with_record(changed(sealed().record, identity=bytes(32)))),
        "for another tip",
    ),
}


@pytest.mark.parametrize(("bundle", "reason"), SIGNERS.values(), ids=SIGNERS)
def test_an_opening_by_the_wrong_hand_or_at_the_wrong_time_is_refused(
    bundle: Callable[[], OpeningBundle], reason: str
) -> None:
    with pytest.raises(UnverifiedError, match=reason):
        verify(bundle())


def test_one_signature_of_the_two_is_not_enough() -> None:
    text, _, lines = by_source().opening.decode().rpartition("\n\n")
    one = f"{text}\n\n{lines.splitlines(keepends=True)[0]}".encode()
    with pytest.raises(UnverifiedError, match="one Ed25519 and one ML-DSA-65"):
        verify(relogged(by_source(), one))


def test_what_nobody_sealed_cannot_be_opened() -> None:
    capture = capture_record(public_capture())
    with pytest.raises(MalformedError, match="capture record"):
        verify(replace(by_source(), record=capture, proof=prove(record_hash(capture))))


@pytest.mark.parametrize("purpose", ["", "revenge", "court "])
def test_a_purpose_outside_the_list_is_refused(purpose: str) -> None:
    with pytest.raises(MalformedError, match="purpose"):
        by_source(purpose=purpose)
