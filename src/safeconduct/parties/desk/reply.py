"""Reply: tell a source something, in a block that only their words can find and open.

A block is sealed once, stored, and posted as it was stored: after a crash the very same bytes
go out again, so that nobody can count how often we tried. Block 0 carries the acknowledgement.

Spec: docs/3-protocol.md §12.
"""

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.door import Door
from safeconduct.parties.desk.store import Acknowledged, Sent
from safeconduct.protocol import age
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.reply import Reply, seal_reply
from safeconduct.protocol.tip import Manifest, parse_manifest

REPLIES_MAX = 1_000  # to one tip

_FIRST_WORDS = {
    "ok": (
        "Your tip has arrived whole, and the assessors can read it. With this comes their"
        " signed acknowledgement and the proof of its date. Keep both with your receipt:"
        " nobody can take them back. Further replies will appear here."
    ),
    "duplicate": (
        "Your tip has arrived, and the assessors can read it. It holds the same files as a tip"
        " of yours that was acknowledged before: that earlier one counts, with its earlier"
        " date. With this comes a signed acknowledgement that says so."
    ),
}


def reply(desk: Desk, record_hash: bytes, text: str) -> Sent:
    """The reply with the next free counter, sealed, stored and posted.

    The same text again, while it could not be posted, is the same reply.

    Raises:
        RefusedError: the tip is not acknowledged yet, or names nowhere to reply to.
        MalformedError: nothing was written, or too much for one block.
        UnavailableError: the door is away; the reply is stored and goes out with the next
            `unseal_all`.
    """
    desk.store.tip(record_hash)
    made = desk.store.acknowledged(record_hash)
    if made is None or is_owed(desk, made):
        raise RefusedError("this tip is not acknowledged yet", hint="pull first")
    if not text.strip():
        raise MalformedError("the reply is empty", hint="write something")
    waiting = [sent for sent in desk.store.unposted() if sent.hash == record_hash]
    again = [sent.counter for sent in waiting if sent.text == text]
    counter = again[0] if again else _enter_next(desk, made, text)
    post(desk, desk.gazette(), record_hash)
    return desk.store.replies(record_hash)[counter]


def is_owed(desk: Desk, made: Acknowledged) -> bool:
    """Whether the source can be told of its acknowledgement, and has not been."""
    return _address(made) is not None and not desk.store.replies(made.hash)


def seal_first(desk: Desk, made: Acknowledged) -> None:
    """Seal and store reply 0, with the acknowledgement and its proof, if it is owed."""
    if is_owed(desk, made):
        words = _FIRST_WORDS[made.status]
        _enter(desk, made, 0, Reply(text=words, acknowledgement=made.record, proof=made.proof))


def post(desk: Desk, state: GazetteState, record_hash: bytes) -> None:
    """Post what is stored for this tip and was not posted yet, in order.

    Raises:
        UnavailableError: the door is away; posting again is safe.
        ConflictError: another block stands under one of our tags.
    """
    door = Door(desk=desk, key=statement_key(desk, state)[1])
    for sent in desk.store.replies(record_hash):
        if not sent.posted:
            door.post_reply(sent.block)
            desk.store.mark_posted(sent)


def _enter_next(desk: Desk, made: Acknowledged, text: str) -> int:
    counter = len(desk.store.replies(made.hash))
    while not _enter(desk, made, counter, Reply(text=text)):
        counter += 1
    return counter


def _enter(desk: Desk, made: Acknowledged, counter: int, said: Reply) -> bool:
    if counter >= REPLIES_MAX:
        raise RefusedError(f"a tip is given at most {REPLIES_MAX} replies")
    manifest = _address(made)
    if manifest is None:
        raise RefusedError("this tip names nowhere to reply to")
    block = seal_reply(said, manifest.reply, manifest.tag_key, counter, desk.random_bytes)
    sent = Sent(hash=made.hash, counter=counter, text=said.text, block=block, posted=False)
    return desk.store.enter_reply(sent)


def _address(made: Acknowledged) -> Manifest | None:
    """The manifest with the reply keys, or None if it was not read or holds no such keys."""
    if not made.manifest:
        return None
    manifest = parse_manifest(made.manifest)
    try:
        age.parse_recipient(manifest.reply)
    except MalformedError:
        return None  # a source may send nonsense here; the tip itself is none the worse
    return manifest
