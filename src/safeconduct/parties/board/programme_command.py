"""`safeconduct programme`: what a programme's Gazette says, proven and in plain words."""

import argparse
import hashlib
from pathlib import Path

from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import read_file, read_stream
from safeconduct.plumbing.logs import PROOF_BYTES_MAX, GazetteView, read_gazette
from safeconduct.plumbing.programme import load_programme
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.destruction import verify_destruction
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.notice import read_client
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import RECORD_BYTES_MAX, Record, format_record, make_record
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Instant

EXAMPLES = """\
examples:
  safeconduct programme show --programme programme/
  safeconduct programme client safeconduct-source.pyz --platform linux-x86_64-cp311 \\
      --version 0.1.0 --programme programme/ > client-1.record
  safeconduct programme destruction destroyed-1.record --proof destroyed-1.tlog-proof \\
      --programme programme/

Reads the whole Gazette, checks log, witnesses and board signatures, and says what stands in it:
the board, the law and its dates, the desk's keys, the register's size. `destruction` checks the
desk's word that it destroyed the keys of an epoch: who said so, when, and that the board bears
it out. `client` prints the record that offers a single-file client for download: t of n members
sign it (`board sign`), and it goes into the Gazette (`board publish`).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs about a programme as a whole."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="what the Gazette says, after checking it")
    show.add_argument("--programme", type=Path, required=True, metavar="DIR")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=_show)
    said = verbs.add_parser(
        "destruction", help="check that an epoch's keys were said destroyed"
    )
    said.add_argument("record", type=Path, help="the desk's signed record")
    said.add_argument("--proof", type=Path, required=True, help="its tlog-proof")
    said.add_argument("--programme", type=Path, required=True, metavar="DIR")
    said.add_argument("--json", action="store_true", help="print JSON")
    said.set_defaults(run=_destruction)
    offered = verbs.add_parser("client", help="prepare the record that offers a client")
    offered.add_argument("file", type=Path, help="the file that people are to download")
    offered.add_argument("--platform", required=True, help="such as linux-x86_64-cp311")
    offered.add_argument("--version", required=True, help="such as 0.1.0")
    offered.add_argument("--programme", type=Path, required=True, metavar="DIR")
    offered.set_defaults(run=_client)


def _show(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    summary = summarise(read_gazette(programme))
    if options.json:
        terminal.print_json(summary)
        return 0
    for name, value in summary.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value or "none"
        terminal.say(f"{name.replace('_', ' '):16} {shown}")
    return 0


def _destruction(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    signed = read_file(options.record, bytes_max=RECORD_BYTES_MAX)
    proof = read_file(options.proof, bytes_max=PROOF_BYTES_MAX)
    said = verify_destruction(signed, read_gazette(programme).state)
    dated = verify_receipt(signed, proof, programme.policy, programme.ledger_origin)
    summary: dict[str, Json] = {
        "epoch": said.epoch.number,
        "closed": format_instant(said.epoch.closes),
        "said_by": format_instant(dated.logged_by),
        "tips": said.record.number("tips"),
        "archive": said.archive.recipient if said.archive else None,
        "gazette_entry": said.retirement.index,
    }
    if options.json:
        terminal.print_json(summary)
        return 0
    for name, value in summary.items():
        terminal.say(f"{name.replace('_', ' '):16} {'none' if value is None else value}")
    terminal.note("the desk signed this and the board bears it out; no log proves erasure")
    return 0


def _client(options: argparse.Namespace) -> int:
    state = read_gazette(load_programme(options.programme)).state
    record = draft_client(state, options.file, options.platform, options.version)
    terminal.say(format_record(record).decode("ascii").removesuffix("\n"))
    return 0


def draft_client(state: GazetteState, path: Path, platform: str, version: str) -> Record:
    """The `client` record for the board to sign, about the file at `path`.

    Raises:
        MalformedError: the platform or version is no plain word, or the file is empty or huge.
        UnavailableError: there is no such file.
    """
    sha256, size = hashlib.sha256(), 0
    for piece in read_stream(path):
        sha256.update(piece)
        size += len(piece)
    record = make_record(
        "client",
        programme=state.programme_hash,
        number=len(state.clients) + 1,
        platform=platform,
        version=version,
        size=size,
        sha256=sha256.digest(),
    )
    read_client(record)
    return record


def summarise(view: GazetteView) -> dict[str, Json]:
    """The state of a programme as a small table."""
    state = view.state
    board: list[Json] = [member.name for member in state.roster.members]
    statutes: list[Json] = []
    for version in state.statutes:
        statute = load_statute(version.law)
        dates = [
            f"{name} {format_instant(parameter.limit_at)}"
            for name, parameter in statute.parameters.items()
            if isinstance(parameter, Instant)
        ]
        statutes.append(f"{version.number} ({'; '.join(dates)}) {version.sha256.hex()}")
    epochs: list[Json] = [
        f"{epoch.number} until {format_instant(epoch.closes)}"
        + (", keys said destroyed" if state.retired(epoch.number) else "")
        for epoch in state.epochs
    ]
    return {
        "name": state.programme.word("name"),
        "board": board,
        "must_sign": state.roster.threshold,
        "statutes": statutes,
        "desk_epochs": epochs,
        "archive": state.archives[-1].recipient if state.archives else None,
        "credits": [
            f"{count.group.word}, period {count.group.period}: {count.issued} issued, "
            f"{count.redeemed} redeemed"
            for count in state.credit_counts
            if count is state.credit_count(count.group)
        ],
        "gates": [
            f"{gate.name} {format_instant(gate.limit)}: {gate.before_tree.size} entries of the "
            f"Ledger in time"
            for gate in state.gates
        ],
        "clients": [
            f"{client.platform} {client.version} {client.sha256.hex()}"
            for client in state.clients
            if client is state.client(client.platform)
        ],
        "publications": len(state.publications),
        "entries": state.size,
        "as_of": format_instant(view.cosigned.logged_by),
        "cosigned_by": [name for name, _ in view.cosigned.cosignatures],
    }
