"""What the desk finds in the envelopes that the door of a test has taken in."""

from dataclasses import dataclass

from tests.parties.source.network import Network
from tests.protocol import builders

from safeconduct.protocol.envelope import open_envelope
from safeconduct.protocol.record import Record, parse_record, record_hash
from safeconduct.protocol.tip import Manifest, TipFile


@dataclass(frozen=True)
class Opened:
    """One delivered envelope, opened."""

    hash: bytes
    record: Record
    manifest: Manifest
    files: dict[str, bytes]


def opened(network: Network) -> list[Opened]:
    """Every delivered envelope, in the order of delivery."""
    return [_open(network, name) for name in network.delivered]


def _open(network: Network, name: str) -> Opened:
    upload = network.uploads[name]
    record = parse_record(upload.record)
    files: dict[str, bytes] = {}

    def sink(file: TipFile, chunk: bytes) -> None:
        files[file.name] = files.get(file.name, b"") + chunk

    manifest = open_envelope(
        record,
        upload.header,
        lambda: [bytes(upload.payload)],
        builders.DESK_IDENTITIES,
        sink,
    )
    return Opened(
        hash=record_hash(upload.record), record=record, manifest=manifest, files=files
    )
