"""`safeconduct desk rotate | epochs | archive … | export | retire`: keys and their end."""

import argparse
import sys
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.desk.archive import (
    draft_archive,
    fill_archive,
    hand_over,
    is_networked,
    new_archive,
    recombine,
    share_lines,
    write_identity,
)
from safeconduct.parties.desk.desk import Desk, open_desk
from safeconduct.parties.desk.epoch import Standing, rotate, standings
from safeconduct.parties.desk.export import export, passphrase_recipient
from safeconduct.parties.desk.retire import retire
from safeconduct.plumbing import dice, terminal
from safeconduct.plumbing.durable import write_file
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.shares import SHARE_BYTES_MAX, SHARES_MAX, parse_share
from safeconduct.protocol import age
from safeconduct.protocol.record import Record, format_record
from safeconduct.protocol.statute.instant import format_instant, parse_instant

SLIPS_MAX = 5
_PIPED_CHARACTERS_MAX = SHARES_MAX * SHARE_BYTES_MAX

_DIGITS_MIN = 4  # of a record hash; fewer could be the beginning of any tip's

_ROTATE = """\
Makes the keys of the next epoch and prints the record that the board signs into the Gazette.
Asked again before that, it certifies the same keys:

  $ safeconduct desk rotate --dir desk --closes 2027-03-08T00:00:00Z > epoch.record

It opens as the last epoch closes. Sign and publish it well before: a source that finds no open
epoch can send nothing.
"""

_EPOCHS = """\
  $ safeconduct desk epochs --dir desk
  epoch-1  due  2027-03-01T00:00:00Z  2027-03-08T00:00:00Z  tips 12, unopened 0, unarchived 0  …
  epoch-2  open  2027-03-08T00:00:00Z  2027-03-15T00:00:00Z  tips 3, unopened 1, unarchived 0  …

In its grace an epoch takes nothing new, but what was sealed to it may still arrive. When it is
due, `desk retire` may destroy its keys. Half-destroyed: run `desk retire` again.
"""

_ARCHIVE = """\
Custodians make a key together, the board publishes it, the desk seals to it, and years later a
few of the custodians open what the desk itself cannot any more:

  $ safeconduct desk archive new --threshold 3 --shares 5 --out shares
  $ safeconduct desk archive draft --dir desk --recipient age1… --threshold 3 --shares 5
  $ safeconduct desk archive fill --dir desk
  $ safeconduct desk archive give 9d3f --dir desk --out tip.age
  $ safeconduct desk archive combine --recipient age1… --out archive.key
"""

_ARCHIVE_NEW = """\
Makes an age key, splits it, and keeps it nowhere: only the shares remain, one file each. Best
done on a machine without a network, by the custodians together:

  $ safeconduct desk archive new --threshold 3 --shares 5 --out shares
  age1…

With --dir it prints the record that the board must sign into the Gazette. On a machine that
cannot read the Gazette leave it out, and run `desk archive draft` at the desk.

The key's bytes in memory are overwritten as far as Python allows. It cannot promise that no
copy is left: switch the machine off afterwards.
"""

_ARCHIVE_DRAFT = """\
  $ safeconduct desk archive draft --dir desk --recipient age1… --threshold 3 --shares 5 \\
        > archive.record
"""

_ARCHIVE_CHECK = """\
Reads as many shares as are needed, a line each, and says whether they give that key. It needs
no programme and no database, and nothing is written:

  $ safeconduct desk archive check --recipient age1…
  share 1: …
  they give the key of age1…

The shares' files may be piped in as they are: lines that begin with # are passed over.
"""

_ARCHIVE_COMBINE = """\
Reads as many shares as are needed and writes the key as an identity file of the stock age tool:

  $ safeconduct desk archive combine --recipient age1… --out archive.key
  $ age -d -i archive.key tip.age | tar x

Only on a machine without a network: whoever reads this file reads the whole archive.
"""

_ARCHIVE_FILL = """\
Gives every opened tip whose epoch's keys are still here a header for the newest archive:

  $ safeconduct desk archive fill --dir desk
  9d3f…
"""

_ARCHIVE_GIVE = """\
Writes an archived tip as a stock age file, which only the archive's custodians can open:

  $ safeconduct desk archive give 9d3f --dir desk --out tip.age
"""

_EXPORT = """\
Gives a tip to assessors as an age file of theirs; the payload is the one that was committed to:

  $ safeconduct desk export 9d3f --dir desk --to age1… --to age1… --out tip.age
  $ safeconduct desk export 9d3f --dir desk --passphrase --armor --out tip.txt
  $ age -d -i assessor.key tip.age | tar x
"""

_RETIRE = """\
Destroys an epoch's keys, once nothing sealed to it can come any more and all that came is
opened, answered and archived. What the desk says about it is logged first, and the record for
the board is printed:

  $ safeconduct desk retire --dir desk --epoch 1 --out destroyed-1 > retirement.record

With --out, what was said and the proof of its date are written beside, for whoever asks. It may
be stopped at any point and run again. Destroy every other copy of these keys too.
"""

_Verbs = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def add_verbs(verbs: "_Verbs[argparse.ArgumentParser]") -> None:
    """Define these verbs among those of `safeconduct desk`."""
    rotated = _at_desk(verbs, "rotate", "make the keys of the next epoch", _ROTATE)
    rotated.add_argument("--closes", required=True, metavar="INSTANT")
    rotated.add_argument("--opens", metavar="INSTANT", help="default: as the last one closes")
    rotated.set_defaults(run=_rotate)
    listed = _at_desk(verbs, "epochs", "say where each epoch stands", _EPOCHS)
    listed.add_argument("--json", action="store_true", help="for other programs")
    listed.set_defaults(run=_epochs)
    _add_archive(verbs)
    _add_export(verbs)
    retired = _at_desk(verbs, "retire", "destroy the keys of an epoch", _RETIRE)
    retired.add_argument("--epoch", type=int, required=True, metavar="NUMBER")
    retired.add_argument(
        "--without-archive",
        action="store_true",
        help="nobody is ever to open these tips again",
    )
    retired.add_argument(
        "--clear-opened", action="store_true", help="remove their opened files from this disk"
    )
    retired.add_argument(
        "--out", metavar="OUT", help="writes OUT.record and OUT.tlog-proof, to be published"
    )
    retired.set_defaults(run=_retire)


def _add_archive(verbs: "_Verbs[argparse.ArgumentParser]") -> None:
    archive = terminal.add_verb(
        verbs, "archive", "keep tips readable for custodians together", _ARCHIVE
    )
    topics = archive.add_subparsers(metavar="VERB", required=True)
    made = terminal.add_verb(topics, "new", "make and split an archive key", _ARCHIVE_NEW)
    made.add_argument("--dir", type=Path, help="folder of this desk, for the board's record")
    _add_split(made)
    made.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    made.set_defaults(run=_archive_new)
    draft = _at_desk(topics, "draft", "draft an archive's record", _ARCHIVE_DRAFT)
    draft.add_argument("--recipient", required=True, metavar="age1…")
    _add_split(draft)
    draft.set_defaults(run=_archive_draft)
    checked = _of_shares(topics, "check", "check shares against a key", _ARCHIVE_CHECK)
    checked.set_defaults(run=_archive_check)
    combined = _of_shares(topics, "combine", "make the key from shares", _ARCHIVE_COMBINE)
    combined.add_argument("--out", type=Path, required=True, metavar="FILE")
    combined.set_defaults(run=_archive_combine)
    filled = _at_desk(topics, "fill", "give opened tips a header", _ARCHIVE_FILL)
    filled.set_defaults(run=_archive_fill)
    given = _at_desk(topics, "give", "write an archived tip as a file", _ARCHIVE_GIVE)
    given.add_argument("hash", metavar="HASH", help="record hash, or its first digits")
    given.add_argument("--out", type=Path, required=True, metavar="FILE")
    given.set_defaults(run=_archive_give)


def _add_split(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--threshold", type=int, required=True, help="how many are needed")
    verb.add_argument("--shares", type=int, required=True, help="how many there are")


def _add_export(verbs: "_Verbs[argparse.ArgumentParser]") -> None:
    verb = _at_desk(verbs, "export", "give a tip to assessors", _EXPORT)
    verb.add_argument("hash", metavar="HASH", help="record hash, or its first digits")
    reader = verb.add_mutually_exclusive_group(required=True)
    reader.add_argument("--to", action="append", metavar="age1…", help="may be repeated")
    reader.add_argument("--passphrase", action="store_true", help="asked for, twice")
    verb.add_argument("--armor", action="store_true", help="as text, for mail")
    verb.add_argument("--out", type=Path, required=True, metavar="FILE")
    verb.set_defaults(run=_export)


def _at_desk(
    verbs: "_Verbs[argparse.ArgumentParser]", name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    verb = terminal.add_verb(verbs, name, summary, example)
    verb.add_argument("--dir", type=Path, required=True, help="folder of this desk")
    return verb


def _of_shares(
    verbs: "_Verbs[argparse.ArgumentParser]", name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    verb = terminal.add_verb(verbs, name, summary, example)
    verb.add_argument("--recipient", required=True, metavar="age1…", help="the archive's key")
    verb.add_argument(
        "--on-a-networked-machine-anyway",
        action="store_true",
        dest="networked",
        help="although the key may be read there",
    )
    return verb


def find_tip(desk: Desk, digits: str) -> bytes:
    """The record hash that begins with `digits`, four or more, if that is one tip's only.

    Raises:
        RefusedError: too few digits to mean one tip, or they are none's, or several tips'.
    """
    if len(digits) < _DIGITS_MIN:
        hint = f"give a tip's number, or {_DIGITS_MIN} or more digits of its record hash"
        raise RefusedError(f"{digits!r} names no tip", hint=hint)
    found = [tip.hash for tip in desk.store.tips() if tip.hash.hex().startswith(digits)]
    if len(found) != 1:
        count = "no tip's" if not found else f"{len(found)} tips'"
        raise RefusedError(f"{digits} begins {count} record hash", hint="`list` shows them")
    return found[0]


def _say_draft(record: Record) -> None:
    terminal.say(format_record(record).decode("ascii").removesuffix("\n"))


def _rotate(arguments: argparse.Namespace) -> int:
    closes = parse_instant(arguments.closes, "--closes")
    given = arguments.opens is not None
    opens = parse_instant(arguments.opens, "--opens") if given else None
    desk = open_desk(arguments.dir)
    with terminal.waiting("reading the Gazette"):
        record = rotate(desk, closes, opens)
    _say_draft(record)
    return 0


def _epochs(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    with terminal.waiting("reading the Gazette"):
        found = standings(desk)
    if arguments.json:
        terminal.print_json([_as_json(standing) for standing in found])
        return 0
    for standing in found:
        terminal.say(_line(standing))
        if standing.word == "half-destroyed":
            terminal.warn(f"finish it: `desk retire --epoch {standing.number}`")
    return 0


def _line(standing: Standing) -> str:
    words = [
        f"epoch-{standing.number}",
        standing.word,
        *(format_instant(at) for at in (standing.opens, standing.closes) if at),
        f"tips {standing.tips}, unopened {standing.unopened}, unarchived {standing.unarchived}",
        f"keys {', '.join(standing.keys) or 'none'}",
    ]
    return "  ".join(words)


def _as_json(standing: Standing) -> dict[str, object]:
    return {
        "closes": format_instant(standing.closes),
        "epoch": standing.number,
        "grace_ends": format_instant(standing.grace_ends),
        "keys": list(standing.keys),
        "opens": format_instant(standing.opens),
        "standing": standing.word,
        "tips": standing.tips,
        "unarchived": standing.unarchived,
        "unopened": standing.unopened,
    }


def _archive_new(arguments: argparse.Namespace) -> int:
    threshold, count = arguments.threshold, arguments.shares
    # Asked before the key is made: shares of an archive that cannot be published are a burden.
    state = read_gazette(load_programme(arguments.dir)).state if arguments.dir else None
    recipient = new_archive(arguments.out, threshold, count, dice.random_bytes)
    terminal.note(f"{count} shares in {arguments.out}: give each to one custodian, keep none")
    terminal.note("the key itself is kept nowhere; switch this machine off to be sure of it")
    if state is None:
        terminal.say(recipient)
        return 0
    _say_draft(draft_archive(state, recipient, threshold, count))
    return 0


def _archive_draft(arguments: argparse.Namespace) -> int:
    state = read_gazette(load_programme(arguments.dir)).state
    _say_draft(draft_archive(state, arguments.recipient, arguments.threshold, arguments.shares))
    return 0


def _archive_check(arguments: argparse.Namespace) -> int:
    _check_offline(allowed=arguments.networked)
    recombine(_ask_shares(), arguments.recipient)
    terminal.say(f"they give the key of {arguments.recipient}")
    return 0


def _archive_combine(arguments: argparse.Namespace) -> int:
    _check_offline(allowed=arguments.networked)
    identity = recombine(_ask_shares(), arguments.recipient)
    write_identity(arguments.out, identity)
    terminal.note(f"{arguments.out}: whoever has this file reads the whole archive")
    return 0


def _check_offline(*, allowed: bool) -> None:
    """Return if no network can carry the key away, or if that was said not to matter."""
    networked = is_networked()
    if networked and not allowed:
        raise RefusedError(
            "this machine is on a network: the key must not be put together here",
            hint="take a machine that is on none, such as one without a network card",
        )
    if networked is None:
        terminal.warn("it cannot be seen whether this machine is on a network: see to it")


def _ask_shares() -> list[str]:
    """The shares as they are typed, as many as the first one needs, or all that come piped."""
    if not sys.stdin.isatty():
        return _piped_shares()
    first = _ask_share("share 1: ", 1)
    needed = parse_share(first, 1).threshold
    places = range(2, needed + 1)
    return [first, *(_ask_share(f"share {place} of {needed}: ", place) for place in places)]


def _ask_share(prompt: str, place: int) -> str:
    """One share, asked for again after a slip: nobody types all the others anew for it."""
    for _ in range(SLIPS_MAX):
        words = terminal.ask_secret(prompt)
        try:
            parse_share(words, place)
        except MalformedError as error:
            terminal.warn(f"{error.message}: {error.hint}")
        else:
            return words
    raise RefusedError(f"share {place} was not entered", hint="copy it from its file")


def _piped_shares() -> list[str]:
    try:
        text = sys.stdin.read(_PIPED_CHARACTERS_MAX + 1)
    except UnicodeDecodeError:
        # Not chained: the error holds the bytes that were entered.
        raise MalformedError("the input is not text", hint="a share a line") from None
    if len(text) > _PIPED_CHARACTERS_MAX:
        raise MalformedError("far more was piped in than shares are", hint="a share a line")
    return share_lines(text)


def _archive_fill(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    with terminal.waiting("making headers"):
        filled = fill_archive(desk)
    for digest in filled:
        terminal.say(digest.hex())
    terminal.note(f"{len(filled)} tips got a header")
    return 0


def _archive_give(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    archive = hand_over(desk, find_tip(desk, arguments.hash), arguments.out)
    terminal.note(f"{arguments.out}: for the custodians of archive {archive.hex()[:12]}…")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    digest = find_tip(desk, arguments.hash)
    recipients: list[age.Recipient]
    if arguments.passphrase:
        first = terminal.ask_secret("passphrase: ")
        recipients = [passphrase_recipient(first, terminal.ask_secret("again: "))]
    else:
        recipients = [age.parse_recipient(text) for text in arguments.to]
    with terminal.waiting("writing"):
        export(desk, digest, recipients, arguments.out, armor=arguments.armor)
    return 0


def _retire(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    with terminal.waiting("logging"):
        made = retire(
            desk,
            arguments.epoch,
            without_archive=arguments.without_archive,
            clear_opened=arguments.clear_opened,
        )
    if made.held_back:
        terminal.warn(f"{made.held_back} offers of the door that never held are of this epoch")
    if made.in_clear:
        terminal.warn(
            f"{made.in_clear} of its tips still lie opened on this disk: --clear-opened"
            " removes them"
        )
    terminal.note("its keys are gone from this machine: destroy every other copy too")
    if arguments.out is not None:
        write_file(Path(f"{arguments.out}.record"), made.destruction)
        write_file(Path(f"{arguments.out}.tlog-proof"), made.proof)
    if made.draft is not None:
        _say_draft(made.draft)
    return 0
