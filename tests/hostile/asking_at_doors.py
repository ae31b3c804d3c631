"""Every route of the door and of its staff's site, and the nonsense that each is asked.

A form that is merely shown again is no error and no harm: where that is the right answer to
nonsense, its status stands beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from urllib.parse import quote, urlencode

from tests.hostile.asking import (
    FORM,
    NOT_UTF8,
    Ask,
    Asker,
    Asks,
    Scene,
    announcement,
    anything_but,
    as_desk,
    bundle,
    gazette_entry,
    in_body,
    in_path,
    no_body,
    noise,
    record,
    some_json,
    tip_hash,
)

from safeconduct.parties.intake import claiming, mailbox, telling
from safeconduct.parties.intake.accept import ANNOUNCEMENT_BYTES_MAX, PIECE_BYTES_MAX
from safeconduct.parties.intake.uploading import FIELDS_BYTES_MAX
from safeconduct.parties.intake.withdraw import WITHDRAWAL_BYTES_MAX
from safeconduct.protocol.capsule import CAPSULE_BYTES
from safeconduct.protocol.parcel import MAGIC
from safeconduct.protocol.puzzle import WORK_HEADER
from safeconduct.protocol.reply import BLOCK_BYTES

OTHER = "ab" * 32  # a hash of nothing that exists
SLOT = "ab" * 16
LEAF = sha256(b"what nobody asked to have dated").digest()
PATCHED = f"/deliver/{OTHER}?offset=0"
BOUNDARY = "safeconduct"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
NO_FIELDS: Mapping[str, str] = {}
SHOWN = 200  # the form once more, or the page that any words get
SENT_ON = 303
NUMBERS: Mapping[str, bytes] = {
    "empty": b"",
    "huge": b"1" * 20,
    "truncated": b"01",
    "wrong kind": b"-1",
    "not UTF-8": NOT_UTF8[:9],
}


def in_language(path: str) -> Asker:
    """Nonsense for the language that begins the address of every page."""
    return in_path(f"/{{}}{path}", lambda _: "en", "klingon")


def in_form(
    path: str, bytes_max: int, fields: Mapping[str, str] = NO_FIELDS, shown: int = 0
) -> Asker:
    """A form whose ticket is none, and a request that is no form."""

    def asks(scene: Scene) -> Asks:
        words = urlencode(fields)
        own = urlencode({"ticket": scene.ticket} | dict(fields))
        bodies = {
            "empty": b"",
            "no ticket": words.encode(),
            "huge": own.encode() + b"&more=" + b"a" * bytes_max,
            "truncated": urlencode({"ticket": scene.ticket[:-5]} | dict(fields)).encode(),
            "wrong kind": urlencode({"ticket": "another"} | dict(fields)).encode(),
            "another's": urlencode({"ticket": OTHER * 9} | dict(fields)).encode(),
            "not UTF-8": f"{words}&ticket={quote(NOT_UTF8)}".encode(),
            "random": noise(777),
        }
        made = {
            kind: Ask(path=path, body=body, headers={"content-type": FORM}, shown=shown)
            for kind, body in bodies.items()
        }
        lied = {"no type": "", "JSON": "application/json", "no boundary": "multipart/form-data"}
        for kind, said in lied.items():
            headers = {"content-type": said}
            made[kind] = Ask(path=path, body=own.encode(), headers=headers)
        return made

    return asks


def with_ticket(path: str, fields: Mapping[str, str] = NO_FIELDS, shown: int = 0) -> Asker:
    """For somebody who skips the words: a ticket that holds, with nothing confirmed yet."""

    def asks(scene: Scene) -> Asks:
        asked = {
            "unconfirmed": {},
            "nonsense": {"sure": "\x00", "to": "../", "answer": NOT_UTF8.decode("latin-1")},
            "twice": {"ticket": scene.ticket},
        }
        made = {}
        for kind, more in asked.items():
            body = urlencode([("ticket", scene.ticket), *fields.items(), *more.items()])
            headers = {"content-type": FORM}
            made[kind] = Ask(path=path, body=body.encode(), headers=headers, shown=shown)
        return made

    return asks


def part(name: str, content: bytes, file: bytes = b"") -> bytes:
    """One part of a multipart form."""
    named = b'; filename="' + file + b'"' if file else b""
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=".encode()
    return head + f'"{name}"'.encode() + named + b"\r\n\r\n" + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def in_parts(path: str, bytes_max: int, bring: Callable[[Scene], bytes]) -> Asker:
    """For the two forms that take files: they are streamed, and read as they come."""

    def asks(scene: Scene) -> Asks:
        brought = bring(scene)
        file = part("file", brought, b"a.txt")
        ticket, void = part("ticket", scene.ticket.encode()), part("ticket", b"x")
        bodies = {
            "empty": b"",
            "no part": END,
            "no file": ticket + END,
            "huge": part("ticket", b"a" * (bytes_max + 1)) + file + END,
            "truncated": (ticket + file)[:-9],
            "the ticket last": file + ticket + END,
            "unconfirmed": ticket + file + END,
            "wrong kind": part("ticket", b"another") + part("file", b"text", b"a/../b") + END,
            "a polyglot": void + part("file", b"%PDF<script>", b"\x00.html") + END,
            "a name not UTF-8": void + part("file", brought, NOT_UTF8) + END,
            "many": void + 2_000 * part("file", b"", b"a") + END,
            "many fields": 2_000 * part("x", b"y") + END,
            "not UTF-8": part("ticket", NOT_UTF8) + file + END,
            "random": noise(777),
        }
        headers = {"content-type": MULTIPART}
        made = {
            kind: Ask(path=path, body=body, headers=headers) for kind, body in bodies.items()
        }
        made["no boundary"] = replace(
            made["unconfirmed"], headers={"content-type": "multipart/form-data"}
        )
        made["no multipart"] = replace(made["unconfirmed"], headers={"content-type": FORM})
        return made

    return asks


def with_work(path: str) -> Asker:
    """What would be dated, with nonsense in the header that tells of work."""

    def asks(_: Scene) -> Asks:
        told = {"huge": "a" * 8_000, "truncated": "ab", "wrong kind": "{}", "a blank": "a b"}
        return {
            kind: Ask(path=path, body=LEAF, headers={WORK_HEADER: text})
            for kind, text in told.items()
        }

    return asks


def parcel(_: Scene) -> bytes:
    """How a sealed envelope begins, and no more of it."""
    return MAGIC + b"\xff" * 40


def shown_page(path: str) -> Sequence[Asker]:
    """For a page that a link leads to."""
    return [in_language(path)]


def step(
    path: str,
    fields: Mapping[str, str] = NO_FIELDS,
    *,
    bytes_max: int = telling.FORM_BYTES_MAX,
    early: int = SHOWN,
) -> Sequence[Asker]:
    """For a step of the form; `early` is the status for who comes there too soon."""
    place = f"/en{path}"
    return [
        in_form(place, bytes_max, fields),
        with_ticket(place, fields, early),
        in_language(path),
    ]


def read(
    path: str,
    fields: Mapping[str, str] = NO_FIELDS,
    *,
    bytes_max: int = mailbox.FORM_BYTES_MAX,
) -> Sequence[Asker]:
    """For a page of the mailbox; the ticket is of words that nobody used."""
    place = f"/en{path}"
    return [
        in_form(place, bytes_max, fields),
        with_ticket(place, {**fields, "number": "0"}),
        with_ticket(place, {**fields, "number": "x"}),
        with_ticket(place, {**fields, "number": "9" * 4_400}),
        in_language(path),
    ]


def carried_claim(path: str) -> Sequence[Asker]:
    """For a page that gets a claim to carry on."""

    def asks(scene: Scene) -> Asks:
        whole = bundle(scene)
        claims = {
            "empty": b"",
            "truncated": whole[:-1],
            "wrong kind": record(scene),
            "not UTF-8": NOT_UTF8,
        }
        headers = {"content-type": FORM}
        ticket = {"ticket": scene.ticket, "number": "0"}
        return {
            kind: Ask(
                path=f"/en{path}",
                body=urlencode({**ticket, "bundle": claim}).encode(),
                headers=headers,
            )
            for kind, claim in claims.items()
        }

    return [*read(path, {"bundle": "e30="}, bytes_max=claiming.FORM_BYTES_MAX), asks]


CLIENTS: Mapping[str, Sequence[Asker]] = {
    "POST /commit": [
        in_body("/commit", lambda _: LEAF, len(LEAF), record),
        with_work("/commit"),
    ],
    "GET /work": [anything_but("/work")],
    "POST /deliver": [in_body("/deliver", announcement, ANNOUNCEMENT_BYTES_MAX, some_json)],
    "GET /deliver/{hash}": [in_path("/deliver/{}", tip_hash, OTHER)],
    "PATCH /deliver/{hash}": [
        in_path("/deliver/{}?offset=0", tip_hash, OTHER),
        in_path("/deliver/{tip}?offset={}", lambda _: "000", "-1"),
        in_body(PATCHED, record, PIECE_BYTES_MAX, some_json),
    ],
    "POST /deliver/{hash}/finish": [
        in_path("/deliver/{}/finish", tip_hash, OTHER),
        no_body("/deliver/{tip}/finish"),
    ],
    "PUT /capsules/{slot}": [
        in_path("/capsules/{}", lambda _: SLOT, OTHER),
        in_body(f"/capsules/{SLOT}", lambda _: bytes(CAPSULE_BYTES), CAPSULE_BYTES, record),
    ],
    "POST /withdraw": [in_body("/withdraw", record, WITHDRAWAL_BYTES_MAX, gazette_entry)],
    "GET /client/{platform}": [in_path("/client/{}", lambda _: "linux-x86", "../server.key")],
    "GET /capsules": [anything_but("/capsules/a")],
    "GET /bulletin": [anything_but("/bulletin")],
    "GET /programme.toml": [anything_but("/programme.toml")],
    "GET /policy.txt": [anything_but("/policy.txt")],
    "GET /questions.json": [anything_but("/questions.json")],
    "GET /openapi.json": [anything_but("/openapi.json")],
    "GET /health": [anything_but("/health")],
}
PAGES: Mapping[str, Sequence[Asker]] = {
    "GET /": [anything_but()],
    "GET /law": [anything_but("/law")],
    "GET /tell": [anything_but("/tell/a")],
    "GET /mail": [anything_but("/mail/a/b")],
    "GET /style.css": [anything_but("/style.css")],
    "GET /{language}/": shown_page("/"),
    "GET /{language}/protection": shown_page("/protection"),
    "GET /{language}/law": [
        *shown_page("/law"),
        in_path("/en/law?page={}", lambda _: "011", "99"),
    ],
    "GET /{language}/proof": shown_page("/proof"),
    "GET /{language}/ways": shown_page("/ways"),
    "GET /{language}/client": shown_page("/client"),
    "GET /{language}/sealed": shown_page("/sealed"),
    "GET /{language}/tell": shown_page("/tell"),
    "GET /{language}/tell/{step}": [in_path("/en/tell/{}", lambda _: "check", "../../key")],
    "GET /{language}/mail": shown_page("/mail"),
    "GET /{language}/mail/{rest:path}": [in_language("/mail/message")],
}
STEPS: Mapping[str, Sequence[Asker]] = {
    "POST /{language}/tell/check": step("/tell/check"),
    "POST /{language}/tell/confirm": step("/tell/confirm", {"word-1": "zoo"}),
    "POST /{language}/tell/words": step("/tell/words", {"words": "zoo " * 12}),
    "POST /{language}/tell/nothing": step("/tell/nothing"),
    "POST /{language}/tell/answers": step(
        "/tell/answers", {"answer": "x"}, bytes_max=telling.TEXT_FORM_BYTES_MAX
    ),
    "POST /{language}/tell/text": step(
        "/tell/text", {"text": "Nobody is to have this."}, bytes_max=telling.TEXT_FORM_BYTES_MAX
    ),
    "POST /{language}/tell/files": [
        in_parts("/en/tell/files", FIELDS_BYTES_MAX, record),
        in_language("/tell/files"),
    ],
    "POST /{language}/tell/send": step("/tell/send", {"sure": "yes"}),
    "POST /{language}/tell/stop": [
        in_form("/en/tell/stop", telling.FORM_BYTES_MAX, shown=SHOWN),
        with_ticket("/en/tell/stop", shown=SHOWN),
        in_language("/tell/stop"),
    ],
    "POST /{language}/tell/again": step("/tell/again", {"to": "nowhere"}),
    "POST /{language}/sealed": [
        in_parts("/en/sealed", FIELDS_BYTES_MAX, parcel),
        in_language("/sealed"),
    ],
}
MAILBOX: Mapping[str, Sequence[Asker]] = {
    "POST /{language}/mail": [
        in_form("/en/mail", mailbox.FORM_BYTES_MAX, {"words": "zoo " * 12}, SHOWN),
        with_ticket("/en/mail", shown=SHOWN),
        with_ticket("/en/mail", {"below": "-1"}),
        in_language("/mail"),
    ],
    "POST /{language}/mail/message": read("/mail/message", {"sheet": "-1"}),
    "POST /{language}/mail/receipt": read("/mail/receipt", {"which": "../key"}),
    "POST /{language}/mail/more": [
        in_form("/en/mail/more", mailbox.FORM_BYTES_MAX),
        in_language("/mail/more"),
    ],
    "POST /{language}/mail/withdraw": read("/mail/withdraw"),
    "POST /{language}/mail/withdrawn": read("/mail/withdrawn"),
    "POST /{language}/mail/claim": read("/mail/claim"),
    "POST /{language}/mail/claim/made": read(
        "/mail/claim/made",
        {"subject": "r-0001", "name": "x"},
        bytes_max=claiming.FORM_BYTES_MAX,
    ),
    "POST /{language}/mail/claim/filed": carried_claim("/mail/claim/filed"),
    "POST /{language}/mail/claim/saved": carried_claim("/mail/claim/saved"),
}
FROM_DESK: Mapping[str, Sequence[Asker]] = {
    "POST /desk/deliveries": [as_desk("/desk/deliveries", "deliveries", NUMBERS, b"0")],
    "POST /desk/withdrawals": [as_desk("/desk/withdrawals", "withdrawals", NUMBERS, b"0")],
    "POST /desk/payload": [
        as_desk(
            "/desk/payload",
            "payload",
            {
                "empty": b"",
                "huge": bytes(33),
                "truncated": bytes(31),
                "wrong kind": bytes(32),
                "not UTF-8": NOT_UTF8,
            },
            bytes(32),
        ),
    ],
    "POST /desk/replies": [
        as_desk(
            "/desk/replies",
            "replies",
            {
                "empty": b"",
                "huge": bytes(BLOCK_BYTES + 1),
                "truncated": bytes(BLOCK_BYTES - 1),
                "not UTF-8": NOT_UTF8,
            },
            bytes(BLOCK_BYTES),
        )
    ],
}
DOOR = {**CLIENTS, **PAGES, **STEPS, **MAILBOX, **FROM_DESK}
STAFF: Mapping[str, Sequence[Asker]] = {
    "GET /": [anything_but()],
    "GET /health": [anything_but("/health")],
    "GET /statistics": [anything_but("/statistics")],
    "GET /style.css": [anything_but("/style.css")],
    "GET /texts": [anything_but("/texts/en")],
    "GET /texts/{language}": [in_path("/texts/{}", lambda _: "e", "../server.key")],
}
