"""Follow: which tip another one continues, and which tips are so by one source.

    tip-7   manifest: follows {record of tip-1, mac}
            mac = follow_mac(tag key inside tip-1, author and pre of tip-7)

Whoever knows the tag key inside the earlier tip has sent it, or opened it: so a MAC that holds
joins the two in one thread, for us and for nobody else. One that does not hold is shown as
what it is, and joins nothing: else a stranger could make another's word look like an echo.

Spec: docs/3-protocol.md §12.
"""

from dataclasses import dataclass

from safeconduct.errors import UnverifiedError
from safeconduct.parties.desk.store import Acknowledged, Store, Tip
from safeconduct.protocol.tip import Manifest, check_follows, parse_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued:
    """What a tip says it continues: the record hash it names, and our tip, if it proves it."""

    record: bytes
    tip: Tip | None


def continued(store: Store, made: Acknowledged) -> Continued | None:
    """What an opened tip continues; None if it says nothing of the kind, or was not opened."""
    if not made.manifest:
        return None
    manifest = parse_manifest(made.manifest)
    if manifest.follows is None:
        return None
    record = manifest.follows.record
    earlier = _opened(store, record)
    proven = earlier is not None and _proves(manifest, earlier.tag_key)
    return Continued(record=record, tip=store.tip(record) if proven else None)


def _proves(manifest: Manifest, earlier_tag_key: bytes) -> bool:
    try:
        check_follows(manifest, earlier_tag_key)
    except UnverifiedError:
        return False
    return True


def _opened(store: Store, digest: bytes) -> Manifest | None:
    made = store.acknowledged(digest)
    return parse_manifest(made.manifest) if made and made.manifest else None


def threads(store: Store) -> dict[bytes, bytes]:
    """By record hash, the tip that the thread of each opened tip began with; itself if none.

    Each manifest is read twice at most, however many tips a source strings together. A record
    commits to what it follows, so no thread leads back to where it came from.
    """
    before = _befores(store)
    firsts: dict[bytes, bytes] = {}
    for made in store.acknowledgements():
        passed, digest = [made.hash], made.hash
        while digest not in firsts and digest in before:
            digest = before[digest]
            passed.append(digest)
        first = firsts.get(digest, digest)
        firsts.update(dict.fromkeys(passed, first))
    return firsts


def _befores(store: Store) -> dict[bytes, bytes]:
    """By record hash, the tip that another one continues and proves it."""
    opened = {made.hash: made.manifest for made in store.acknowledgements() if made.manifest}
    tag_keys: dict[bytes, bytes] = {}
    found: dict[bytes, bytes] = {}
    for digest, data in opened.items():
        if b'"follows"' not in data:  # spares the parsing of all others
            continue
        manifest = parse_manifest(data)
        record = manifest.follows.record if manifest.follows else b""
        if record not in opened:
            continue
        if record not in tag_keys:
            tag_keys[record] = parse_manifest(opened[record]).tag_key
        if _proves(manifest, tag_keys[record]):
            found[digest] = record
    return found


def continued_by(store: Store, digest: bytes) -> list[Tip]:
    """The tips that continue this one and prove it, in the order they came."""
    named = digest.hex().encode("ascii")
    found = []
    for made in store.acknowledgements():
        if made.manifest and named in made.manifest:  # spares the parsing of all others
            before = continued(store, made)
            if before is not None and before.tip is not None and before.tip.hash == digest:
                found.append(store.tip(made.hash))
    return found
