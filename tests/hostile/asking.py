"""Nonsense, made from what would be valid: for a request's body, address, form or header."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256, shake_256
from urllib.parse import quote, urlencode

from tests.hostile.seating import Seated
from tests.world import Played, log_entries, rows

from safeconduct.parties.desk.site import FORM_BYTES_MAX
from safeconduct.plumbing import clock
from safeconduct.plumbing.keys import load_signing_key
from safeconduct.protocol.canonical import format_base64, format_json
from safeconduct.protocol.claim import parse_bundle
from safeconduct.protocol.record import make_record, sign_record

FORM = "application/x-www-form-urlencoded"
NOT_UTF8 = b"\xff\xfe\x80 not text \xc3"
HUGE_PATH = 6_000  # characters; what a server reads of a request's head is 16,384 bytes
MEBIBYTE = 1 << 20
REQUEST_HEADER = "x-safeconduct-request"
BOARD_KEY = "board/member-1/key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request: where it goes, what it carries.

    `shown` is the status of the page that it may get instead of an error; 0 for none.
    """

    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    shown: int = 0


Asks = Mapping[str, Ask]
Asker = Callable[["Scene"], Asks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The play, and valid things of it to make nonsense of."""

    played: Played
    seated: Seated
    token: str  # of the form of a browser that is signed in at the desk
    ticket: str  # of somebody who has opened the door's form and seen twelve words

    def file(self, *parts: str) -> bytes:
        return self.played.world.path(*parts).read_bytes()

    @property
    def tip(self) -> str:
        return self.played.world.hashes["clerk"].hex()

    @property
    def claim(self) -> str:
        return self.played.world.claims["engineer"].hex()


def noise(count: int) -> bytes:
    """Bytes that are nothing, and the same each time."""
    return shake_256(b"noise").digest(count)


def in_body(
    path: str,
    valid: Callable[[Scene], bytes],
    bytes_max: int,
    wrong: Callable[[Scene], bytes],
    content_type: str = "application/octet-stream",
) -> Asker:
    """Nonsense in the body; `path` may name the clerk's tip and the engineer's claim."""

    def asks(scene: Scene) -> Asks:
        good = valid(scene)
        bodies = {
            "empty": b"",
            "huge": good + bytes(bytes_max + 1 - len(good)),
            "truncated": good[:-1],
            "wrong kind": wrong(scene),
            "not UTF-8": NOT_UTF8,
            "random": noise(777),
        }
        place = path.format(tip=scene.tip, claim=scene.claim)
        headers = {"content-type": content_type}
        return {
            kind: Ask(path=place, body=body, headers=headers) for kind, body in bodies.items()
        }

    return asks


def in_path(path: str, valid: Callable[[Scene], str], wrong: str) -> Asker:
    """Nonsense in the address, where `path` has {}."""

    def asks(scene: Scene) -> Asks:
        texts = {
            "empty": "",
            "huge": "a" * HUGE_PATH,
            "truncated": valid(scene)[:-1],
            "wrong kind": quote(wrong),
            "not UTF-8": quote(NOT_UTF8),
            "random": quote(noise(40)),
        }
        named = {"page": page_hash(scene), "listing": scene.seated.told.page.hex()}
        place = path.format("{}", tip=scene.tip, docket=scene.seated.docket, **named)
        return {kind: Ask(path=place.replace("{}", text)) for kind, text in texts.items()}

    return asks


def anything_but(path: str = "") -> Asker:
    """For an address without input: nonsense beside it, which must not be found."""

    def asks(_: Scene) -> Asks:
        return {
            "wrong kind": Ask(path=f"{path}/nothing-here"),
            "not UTF-8": Ask(path=f"{path}/{quote(NOT_UTF8)}"),
            "huge": Ask(path=f"{path}/{'a' * HUGE_PATH}"),
        }

    return asks


def no_body(path: str) -> Asker:
    """For a post that carries nothing: anything at all is too much."""

    def asks(scene: Scene) -> Asks:
        place = path.format(tip=scene.tip, claim=scene.claim)
        bodies = {
            "huge": bytes(MEBIBYTE),
            "wrong kind": b"{}",
            "not UTF-8": NOT_UTF8,
            "random": noise(5),
        }
        return {kind: Ask(path=place, body=body) for kind, body in bodies.items()}

    return asks


def no_form(path: str, *fields: tuple[str, str]) -> Asker:
    """For the desk's forms: another session's token, then our own with nonsense beside it."""

    def asks(scene: Scene) -> Asks:
        own = urlencode({"token": scene.token})
        good = urlencode({"token": scene.token, **dict(fields)})
        bodies = {
            "empty": b"",
            "huge": good.encode() + b"&reasons=" + b"a" * FORM_BYTES_MAX,
            "truncated": own[:-1].encode(),
            "wrong kind": (good if fields else "token=another").encode(),
            "not UTF-8": f"{own}&{own}&text={quote(NOT_UTF8)}".encode(),
            "random": noise(777),
        }
        place = path.format(tip=scene.tip)
        headers = {"content-type": FORM}
        return {
            kind: Ask(path=place, body=body, headers=headers) for kind, body in bodies.items()
        }

    return asks


def as_desk(path: str, action: str, bodies: Mapping[str, bytes], due: bytes) -> Asker:
    """For what only the desk may ask: nonsense well signed, and what is due badly signed."""
    return _signed_by("desk/keys/epoch-1.statement", path, action, lambda _: bodies, due)


def as_console(
    path: str, action: str, bodies: Callable[[Scene], Mapping[str, bytes]], due: bytes
) -> Asker:
    """For what only the board's console may ask."""
    return _signed_by("console/console.key", path, action, bodies, due)


def _signed_by(
    key: str,
    path: str,
    action: str,
    bodies: Callable[[Scene], Mapping[str, bytes]],
    due: bytes,
) -> Asker:
    def asks(scene: Scene) -> Asks:
        place = path.format(tip=scene.tip)
        made = {
            kind: Ask(path=place, body=body, headers=_signed(scene, key, action, body))
            for kind, body in bodies(scene).items()
        }
        good = _signed(scene, key, action, due)[REQUEST_HEADER]
        heads = {
            "empty": "",
            "huge": good + "A" * 8_192,
            "truncated": good[:-4],
            "wrong kind": format_base64(scene.file("receipts", "clerk.record")),
            "not UTF-8": format_base64(NOT_UTF8),
            "another's": _signed(scene, key, "payload", b"another body")[REQUEST_HEADER],
            "another key's": _signed(scene, BOARD_KEY, action, due)[REQUEST_HEADER],
        }
        for kind, head in heads.items():
            headers = {REQUEST_HEADER: head}
            made[f"header {kind}"] = Ask(path=place, body=due, headers=headers)
        return made

    return asks


def _signed(scene: Scene, place: str, action: str, body: bytes) -> dict[str, str]:
    key = load_signing_key(scene.played.folder / place)
    request = make_record(
        "request",
        programme=scene.played.programme.hash,
        action=action,
        body=sha256(body).digest(),
        at=clock.seconds(),
    )
    return {REQUEST_HEADER: format_base64(sign_record(request, [key]))}


def gazette_entry(scene: Scene) -> bytes:
    """A founding record, well signed; the Gazette has one already and takes no other."""
    programme = scene.played.programme
    return log_entries(programme, programme.gazette, programme.gazette_origin)[0]


def add_checkpoint(scene: Scene) -> bytes:
    return b"old 0\n\n" + scene.file("log", "ledger", "public", "checkpoint")


def announcement(scene: Scene) -> bytes:
    return format_json(
        {
            "header": format_base64(b"age-encryption.org/v1\n"),
            "proof": scene.file("receipts", "clerk.tlog-proof").decode(),
            "record": scene.file("receipts", "clerk.record").decode(),
        }
    )


def bundle(scene: Scene) -> bytes:
    """What was filed as the engineer's claim."""
    database = scene.played.world.path("register", "registry.sqlite")
    filed = [row for row in rows(database, "events") if row[2] == "filed"]
    data = filed[0][4]
    assert isinstance(data, bytes)
    return data


def form(**fields: str) -> Callable[[Scene], bytes]:
    return lambda _: urlencode(fields).encode()


def record(scene: Scene) -> bytes:
    return scene.file("receipts", "clerk.record")


def some_json(_: Scene) -> bytes:
    return b'{"record":"","proof":"","header":"","more":[[[[[[[[]]]]]]]]}'


def tip_hash(scene: Scene) -> str:
    return scene.tip


def page_hash(scene: Scene) -> str:
    """The address of the engineer's own page."""
    return parse_bundle(bundle(scene)).page_key.hex()
