"""Reply: tell a source something, in a block that only their words can find and open.

A block is sealed once, stored, and posted as it was stored: after a crash the very same bytes
go out again, and a counter never names two blocks. The first carries the acknowledgement.

Spec: docs/3-protocol.md §12.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.door import Door
from safeconduct.parties.desk.store import Acknowledged, Sent
from safeconduct.protocol import age
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.receipt import slim_proof
from safeconduct.protocol.reply import Reply, seal_reply
from safeconduct.protocol.tip import Manifest, parse_manifest

REPLIES_PAD = 4  # blocks are posted in multiples of this, the rest to nobody
REPLIES_MAX = 1_000  # to one mailbox

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
    made = _told(desk, record_hash)
    if not text.strip():
        raise MalformedError("the reply is empty", hint="write something")
    waiting = [sent for sent in desk.store.unposted() if sent.hash == record_hash]
    again = [sent for sent in waiting if sent.text == text]
    sent = again[0] if again else _enter(desk, made, Reply(text=text))
    state = desk.gazette()
    with among_dummies(desk, state):
        post(desk, state, record_hash)
    return replace(sent, posted=True)


def reply_once(desk: Desk, record_hash: bytes, said: Reply) -> Sent:
    """The reply with this text, of which there is one for ever: sealed, stored and posted.

    For what carries a record: its text names what the record is about.

    Raises:
        RefusedError, MalformedError, UnavailableError: as `reply`.
    """
    made = _told(desk, record_hash)
    again = [sent for sent in desk.store.replies(record_hash) if sent.text == said.text]
    sent = again[0] if again else _enter(desk, made, said)
    state = desk.gazette()
    with among_dummies(desk, state):
        post(desk, state, record_hash)
    return replace(sent, posted=True)


def _told(desk: Desk, record_hash: bytes) -> Acknowledged:
    """The answer to a tip, once its source was told or cannot be."""
    desk.store.tip(record_hash)
    made = desk.store.acknowledged(record_hash)
    if made is None or is_owed(desk, made):
        raise RefusedError("this tip is not acknowledged yet", hint="pull first")
    return made


def is_owed(desk: Desk, made: Acknowledged) -> bool:
    """Whether the source can be told of its acknowledgement, and has not been."""
    return _address(made) is not None and not desk.store.replies(made.hash)


def seal_first(desk: Desk, made: Acknowledged) -> None:
    """Seal and store the first reply, with the acknowledgement and its proof, if it is owed."""
    if is_owed(desk, made):
        said = Reply(text=_FIRST_WORDS[made.status], acknowledgement=made.record)
        try:
            _enter(desk, made, replace(said, proof=made.proof))
        except MalformedError:
            # Many witnesses, or long signatures: the source must not go without an answer.
            policy, ledger = desk.programme.policy, desk.programme.ledger_origin
            slim = slim_proof(made.record, made.proof, policy, ledger)
            _enter(desk, made, replace(said, proof=slim))


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


@contextmanager
def among_dummies(desk: Desk, state: GazetteState) -> Iterator[None]:
    """Post blocks to nobody before and after those of the block, up to a multiple of four.

    So the bulletin does not tell how many sources were answered, nor which block came first. A
    dummy is sealed as any reply is, to keys that nobody has.

    Raises:
        UnavailableError: the door is away; dummies are not posted again.
    """
    door = Door(desk=desk, key=statement_key(desk, state)[1])
    before, posted = desk.store.posted_count(), desk.random_bytes(1)[0] % REPLIES_PAD
    for _ in range(posted):
        door.post_reply(_dummy(desk))
    yield
    posted += desk.store.posted_count() - before
    for _ in range(-posted % REPLIES_PAD):
        door.post_reply(_dummy(desk))


def _dummy(desk: Desk) -> bytes:
    nobody = age.hybrid_identity(desk.random_bytes(32)).recipient()
    recipient = age.format_recipient(nobody)
    return seal_reply(Reply(text=""), recipient, desk.random_bytes(32), 0, desk.random_bytes)


def _enter(desk: Desk, made: Acknowledged, said: Reply) -> Sent:
    """The reply, sealed under the next free counter of the tip's mailbox and stored."""
    manifest = _address(made)
    if manifest is None:
        raise RefusedError("this tip names nowhere to reply to")
    counter = desk.store.next_counter(manifest.tag_key)
    while counter < REPLIES_MAX:
        block = seal_reply(said, manifest.reply, manifest.tag_key, counter, desk.random_bytes)
        sent = Sent(
            mailbox=manifest.tag_key,
            counter=counter,
            hash=made.hash,
            text=said.text,
            block=block,
            posted=False,
        )
        if desk.store.enter_reply(sent):
            return sent
        counter += 1
    raise RefusedError(f"a source is given at most {REPLIES_MAX} replies")


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
