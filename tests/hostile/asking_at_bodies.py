"""Every route of the register, of the board's console and of a law's trial, and its nonsense.

A page that anybody may load with any words in its address is no error: its status is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote, urlencode

from tests.hostile.asking import (
    FORM,
    NOT_UTF8,
    Ask,
    Asker,
    Asks,
    Scene,
    anything_but,
    as_console,
    bundle,
    gazette_entry,
    in_body,
    in_path,
    no_body,
    noise,
    page_hash,
    record,
    tip_hash,
)

from safeconduct.parties.board.console_site import UPLOAD_BYTES_MAX
from safeconduct.parties.registry.board_site import DECISION_BYTES_MAX
from safeconduct.parties.registry.hearing_site import FORM_BYTES_MAX as HEARING_BYTES_MAX
from safeconduct.plumbing.statute_form import FORM_BYTES_MAX as TRIAL_BYTES_MAX
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.claim import BUNDLE_BYTES_MAX
from safeconduct.protocol.record import RECORD_BYTES_MAX

OTHER = "ab" * 32  # a hash of nothing that exists
SHOWN = 200
BOUNDARY = "safeconduct"
QUERIES = {
    "nothing": "",
    "blanks": "   ",
    "huge": "a" * 5_000,
    "as long as may be": "a" * 200,
    "many words": "a b " * 50,
    "markup": "<script>alert(1)</script>",
    "a quote": "' OR 1=1 --",
    "a pattern": "%_*[a-z]{1,99999}(((((",
    "a null": "\0",
    "an order to the terminal": "\x1b[2J",
    "turned round": "\u202egnitlew",
    "joined by nothing": "\u200b\u200d\ufeff",
    "another alphabet": "Аnton Wеller",  # two letters are Cyrillic
    "marks on one letter": "a" + "\u0301" * 190,
    "every script at once": "aбγאبअ中あ한ก" * 20,
    "a number": "r-0001'--",
    "no letter": "!!! ??? ...",
    "emoji": "👩‍👩‍👧‍👦" * 20,
}
"""What somebody may type to look for a name; each is answered by a page."""


def looked_for(path: str) -> Asker:
    """The page of a search, which shows any words again, as text."""

    def asks(_: Scene) -> Asks:
        asked = {kind: quote(text) for kind, text in QUERIES.items()}
        asked |= {"not UTF-8": quote(NOT_UTF8), "twice": "a&q=b", "random": quote(noise(60))}
        return {kind: Ask(path=f"{path}{text}", shown=SHOWN) for kind, text in asked.items()}

    return asks


def _bodies(good: Mapping[str, str], bytes_max: int) -> dict[str, tuple[str, bytes]]:
    """By kind of nonsense, a content type and a body that is no form, or too much of one."""
    own = urlencode(good).encode()
    multipart = f"multipart/form-data; boundary={BOUNDARY}"
    return {
        "empty": (FORM, b""),
        "huge": (FORM, own + b"&more=" + b"a" * bytes_max),
        "not UTF-8": (FORM, f"{urlencode(good)}&text={quote(NOT_UTF8)}&x=%ff".encode()),
        "random": (FORM, noise(60)),
        "JSON": ("application/json", b'{"text":"x"}'),
        "no type": ("", own),
        "no boundary": ("multipart/form-data", own),
        "half a part": (multipart, f"--{BOUNDARY}\r\ncontent-disposition: form-da".encode()),
        "many": (FORM, b"x=1&" * 2_000),
    }


def heard(name: str, *forms: Mapping[str, str]) -> Asker:
    """What is posted at the page of somebody who was told of a listing."""

    def asks(scene: Scene) -> Asks:
        page = f"/listing/{scene.seated.told.page.hex()}/{name}"
        made = {
            kind: Ask(path=page, body=body, headers={"content-type": said})
            for kind, (said, body) in _bodies({"x": "y"}, HEARING_BYTES_MAX).items()
        }
        for place, fields in enumerate(forms):
            body = urlencode(fields).encode()
            made[f"form {place}"] = Ask(path=page, body=body, headers={"content-type": FORM})
        return made

    return asks


def elsewhere(name: str, fields: Mapping[str, str]) -> Asker:
    """A good form, at a page that nobody has."""

    def asks(scene: Scene) -> Asks:
        pages = {
            "another's": OTHER,
            "nobody told": scene.seated.proposed.page.hex(),
            "half a page": scene.seated.told.page.hex()[:-2],
            "capitals": scene.seated.told.page.hex().upper(),
            "a case's": page_hash(scene),
        }
        body, headers = urlencode(fields).encode(), {"content-type": FORM}
        return {
            kind: Ask(path=f"/listing/{page}/{name}", body=body, headers=headers)
            for kind, page in pages.items()
        }

    return asks


_WORDS = {"text": "Nobody is to have this."}
_SAID: Sequence[Mapping[str, str]] = (
    {"text": ""},
    {"text": " \n\t "},
    {"text": "a" * 20_001},
    {"text": "a\0b"},
    {"text": "\x1b[2J"},
    {"text": "\u202eturned round"},
)
_APPEALS = (
    *({**one, "ground": "law"} for one in _SAID),
    {**_WORDS, "ground": "../law"},
    {**_WORDS, "ground": "law"},  # nothing was decided yet
)
HEARINGS: Mapping[str, Sequence[Asker]] = {
    "GET /listing/{page}": [
        in_path("/listing/{}", lambda scene: scene.seated.told.page.hex(), OTHER),
        in_path("/listing/{}", lambda scene: scene.seated.proposed.page.hex(), "../register"),
    ],
    "GET /listing/{page}/{name}": [
        in_path("/listing/{listing}/{}", lambda _: "notice.record", "../../registry.key"),
        in_path("/listing/{listing}/{}", lambda _: "decision.recordx", "appeal.record"),
        in_path("/listing/{}/file.json", lambda scene: scene.seated.told.page.hex(), OTHER),
    ],
    "POST /listing/{page}/reply": [heard("reply", *_SAID), elsewhere("reply", _WORDS)],
    "POST /listing/{page}/appeal": [
        heard("appeal", *_APPEALS),
        elsewhere("appeal", {**_WORDS, "ground": "law"}),
    ],
    "POST /listing/{page}/consent": [
        heard("consent", {"shown": "yes"}, {"shown": "\0"}),
        elsewhere("consent", {"shown": "yes"}),
    ],
}


def _decision(scene: Scene, **fields: str) -> bytes:
    signed = scene.file("board", "decision-pilot").decode()
    good: dict[str, Json] = {
        "claim": scene.seated.case.claim.hex(),
        "departure": "",
        "signed": signed,
        "votes": "",
    }
    return format_json({**good, **fields})


def _decisions(scene: Scene) -> dict[str, bytes]:
    return {
        "empty": b"",
        "huge": b'{"claim":"' + b"a" * DECISION_BYTES_MAX + b'"}',
        "truncated": _decision(scene)[:-1],
        "wrong kind": b'{"kind":"shopping list","items":[]}',
        "a list": b"[[[[[[[[]]]]]]]]",
        "deep": b"[" * 5_000,
        "not UTF-8": NOT_UTF8,
        "blanks": _decision(scene).replace(b":", b": "),
        "a field too many": _decision(scene, more=""),
        "no hash": _decision(scene, claim="nonsense"),
        "nobody's": _decision(scene, claim=OTHER),
        "another's": _decision(scene),
        "no record": _decision(scene, signed="nonsense"),
        "a record of another kind": _decision(scene, signed=record(scene).decode()),
        "no votes": _decision(scene, votes="[]"),
        "a surrogate": _decision(scene).replace(b'"votes":""', b'"votes":"\\ud800"'),
    }


OF_BOARD: Mapping[str, Sequence[Asker]] = {
    "GET /board/dockets": [
        as_console(
            "/board/dockets", "dockets", lambda _: {"of another action": b"something"}, b"x"
        )
    ],
    "POST /board/decisions": [as_console("/board/decisions", "decisions", _decisions, b"{}")],
}
FEEDS: Mapping[str, Sequence[Asker]] = {
    "GET /feeds": [anything_but("/feeds")],
    **{
        f"GET /feeds/{name}": [anything_but(f"/feeds/{name}")]
        for name in ("register.json", "register.ftm.jsonl", "register.csv")
    },
    "GET /feeds/delta.json": [
        in_path("/feeds/delta.json?since={}", lambda _: "-1x", "٣"),
        in_path("/feeds/delta.json?since={}", lambda _: "+1x", "9" * 400),
        in_path("/feeds/delta.json?since=1&at={}", lambda _: "1.0x", "-5"),
        in_path("/feeds/delta.json?since=1&at={}", lambda _: "01x", "9" * 400),
    ],
}


def tried(path: str, shown: int) -> Asker:
    """A form of facts; what the law can make nothing of is told above the form."""

    def asks(_: Scene) -> Asks:
        made = {
            kind: Ask(path=path, body=body, headers={"content-type": said}, shown=shown)
            for kind, (said, body) in _bodies({"x": "y"}, TRIAL_BYTES_MAX).items()
        }
        forms: Mapping[str, Mapping[str, str]] = {
            "no such button": {"do": "\0"},
            "no such case": {"do": "fill", "case": "999"},
            "no number": {"do": "fill", "case": "٣"},
            "no such list": {"do": "add.nothing"},
            "no such item": {"do": "remove.tips.99"},
            "no day": {"do": "judge", "as_of": "2027-02-30"},
            "markup": {"do": "judge", "as_of": "<script>alert(1)</script>"},
        }
        for kind, fields in forms.items():
            body = urlencode(fields).encode()
            made[kind] = Ask(path=path, body=body, headers={"content-type": FORM}, shown=shown)
        return made

    return asks


LAWS: Mapping[str, Sequence[Asker]] = {
    "GET /law": [anything_but("/law/1")],
    "GET /law/compare": [
        in_path("/law/compare?from={}&to=1", lambda _: "011", "99"),
        in_path("/law/compare?from=1&to={}", lambda _: "011", "9" * 400),
        in_path("/law/compare?{}", lambda _: "from=1&tom", "to=1"),
    ],
    "GET /law/{number}": [in_path("/law/{}", lambda _: "011", "99")],
    "GET /law/{number}/statute.json": [in_path("/law/{}/statute.json", lambda _: "011", "99")],
    "GET /law/{number}/try": [in_path("/law/{}/try", lambda _: "011", "99")],
    "POST /law/{number}/try": [
        tried("/law/1/try", SHOWN),
        in_path("/law/{}/try", lambda _: "011", "99"),
    ],
    "GET /statute": [anything_but("/statute")],
}
_IN_ENGLISH: Mapping[str, Sequence[Asker]] = {
    **HEARINGS,
    **OF_BOARD,
    **FEEDS,
    **LAWS,
    "GET /": [anything_but(), in_path("/?page={}", lambda _: "011", "99")],
    "GET /search": [looked_for("/search?q="), anything_but("/search")],
    "GET /person/{subject}": [
        in_path("/person/{}", lambda _: "r-0001", "r-9999"),
        in_path("/person/{}", lambda _: "r-0077x", "r-0078"),
    ],
    "GET /decision/{sha256}": [in_path("/decision/{}", tip_hash, OTHER)],
    "GET /decision/{sha256}/{part}.json": [
        in_path("/decision/{}/object.json", tip_hash, OTHER),
        in_path(f"/decision/{OTHER}/{{}}.json", lambda _: "facts", "../../registry"),
    ],
    "GET /case/{page}": [in_path("/case/{}", page_hash, OTHER)],
    "GET /style.css": [anything_but("/style.css")],
    "GET /health": [anything_but("/health")],
    "POST /challenge": [no_body("/challenge")],
    "POST /claims": [in_body("/claims", bundle, BUNDLE_BYTES_MAX, record)],
    "POST /appeals/{claim}": [
        in_body("/appeals/{claim}", record, RECORD_BYTES_MAX, gazette_entry),
        in_path("/appeals/{}", tip_hash, OTHER),
    ],
    "GET /case/{page}/letter.{suffix}": [
        in_path("/case/{page}/letter.{}", lambda _: "txt", "exe"),
        in_path("/case/{}/letter.txt", page_hash, OTHER),
        in_path("/case/{}/letter.pdf", page_hash, OTHER),
    ],
    "GET /case/{page}/{kind}-letter.{suffix}": [
        in_path("/case/{page}/{}-letter.txt", lambda _: "appealx", "../../registry"),
        in_path("/case/{page}/appeal-letter.{}", lambda _: "exex", "../registry.key"),
        in_path("/case/{}/appeal-letter.pdf", page_hash, OTHER),
    ],
    "GET /case/{page}/decision.record": [in_path("/case/{}/decision.record", page_hash, OTHER)],
    "GET /case/{page}/unsealed.json": [in_path("/case/{}/unsealed.json", page_hash, OTHER)],
    "GET /decision/{sha256}/unsealed.json": [
        in_path("/decision/{}/unsealed.json", tip_hash, OTHER)
    ],
}


def in_german(asker: Asker) -> Asker:
    """The same, asked of the page in German."""

    def asks(scene: Scene) -> Asks:
        asked = asker(scene).items()
        return {kind: replace(ask, path=f"/de{ask.path}") for kind, ask in asked}

    return asks


_PAGES = ("/", "/search", "/feeds", "/person/{subject}", "/decision/{sha256}", "/case/{page}")
_SPOKEN = [
    *HEARINGS,
    *(f"GET {path}" for path in _PAGES),
    *(one for one in LAWS if "law" in one),
]
REGISTER: Mapping[str, Sequence[Asker]] = {
    **_IN_ENGLISH,
    **{
        route.replace(" /", " /{language}/", 1): [
            *map(in_german, _IN_ENGLISH[route]),
            in_path(f"/{{}}{route.partition('{')[0].partition(' ')[2]}", lambda _: "de", "xx"),
        ]
        for route in _SPOKEN
        if not route.endswith(".json")
    },
}


# The board's console.


def posted(path: str, *forms: Mapping[str, str], open_to_all: bool = False) -> Asker:
    """A form of the console: with nonsense by a member, and well filled by somebody else."""

    def asks(scene: Scene) -> Asks:
        place = path.format(docket=scene.seated.docket)
        token = {} if open_to_all else {"token": scene.seated.token}
        made = {
            kind: Ask(path=place, body=body, headers={"content-type": said})
            for kind, (said, body) in _bodies({"x": "y"}, UPLOAD_BYTES_MAX).items()
        }
        for number, fields in enumerate(forms):
            body = urlencode({**token, **fields}).encode()
            made[f"form {number}"] = Ask(path=place, body=body, headers={"content-type": FORM})
        good = urlencode({**token, **(forms[0] if forms else {})}).encode()
        for kind, headers in _STRANGERS.items():
            made[kind] = Ask(path=place, body=good, headers={"content-type": FORM, **headers})
        return made

    return asks


_STRANGERS: Mapping[str, Mapping[str, str]] = {
    "from another site": {"origin": "https://elsewhere.example"},
    "from nowhere": {"origin": "null"},
    "from beside": {"sec-fetch-site": "cross-site"},
    "by another name": {"host": "elsewhere.example"},
}
_NO_DOCKET = in_path("/dockets/{}", lambda scene: scene.seated.docket, OTHER)


def below_docket(name: str) -> Sequence[Asker]:
    """For what lies below a docket's address."""
    wrong = in_path(f"/dockets/{{}}/{name}", lambda scene: scene.seated.docket, OTHER)
    return [wrong, in_path("/dockets/{docket}/{}", lambda _: f"{name}xy", "../../console.key")]


_VOTES = (
    {"vote": "perhaps", "after": "0"},
    {"vote": "agree"},
    {"vote": "agree", "after": "-1"},
    {"vote": "agree", "after": "9" * 400},
    {"vote": "agree", "after": "77"},
    {"vote": "depart", "after": "0", "outcome": "\0", "reasons": "x"},
    {"vote": "depart", "after": "0", "outcome": "not_acquitted", "reasons": ""},
    {"vote": "agree", "after": "0", "reasons": "a" * 4_001},
    {"vote": "agree", "after": "0", "reasons": "\u202eturned round"},
)
_KEYS = ({"passkey": "x"}, {"passkey": ""}, {"passkey": OTHER}, {"passkey": "a" * 5_000})
_RESPONSES = (
    {"response": ""},
    {"response": "{}"},
    {"response": "[" * 5_000},
    {"response": '{"id":1,"rawId":[],"type":"x","response":"y"}'},
    {"response": "\0"},
    {"response": "9" * 60_000},
)
_CODES = ({"code": ""}, {"code": "0" * 32}, {"code": "\0"}, {"code": "a" * 60_000})
CONSOLE: Mapping[str, Sequence[Asker]] = {
    "GET /style.css": [anything_but("/style.css")],
    "GET /passkey.js": [anything_but("/passkey.js")],
    "GET /health": [anything_but("/health")],
    "GET /enter": [anything_but("/enter")],
    "GET /enrol": [anything_but("/enrol")],
    "POST /enter": [posted("/enter", *_RESPONSES, open_to_all=True)],
    "POST /enrol/begin": [posted("/enrol/begin", *_CODES, open_to_all=True)],
    "POST /enrol": [
        posted(
            "/enrol",
            *({**code, **response} for code in _CODES[:2] for response in _RESPONSES),
            open_to_all=True,
        )
    ],
    "GET /": [anything_but()],
    "GET /you": [anything_but("/you")],
    "POST /leave": [posted("/leave", {"token": "another"}, {"token": ""})],
    "POST /pull": [posted("/pull", {"token": "another"}, {"token": ""})],
    "POST /you/remove": [posted("/you/remove", *_KEYS)],
    "GET /{rest:path}": [anything_but("/../console.key"), anything_but("/dockets")],
    "GET /dockets/{hash}": [_NO_DOCKET],
    **{
        f"GET /dockets/{{hash}}/{name}": below_docket(name)
        for name in ("proof.svg", "decision.record", "decision.signed", "votes.json")
    },
    "POST /dockets/{hash}/vote": [posted("/dockets/{docket}/vote", *_VOTES)],
    "POST /dockets/{hash}/conflict": [
        posted(
            "/dockets/{docket}/conflict",
            {"conflict": ""},
            {"conflict": "\u202eturned round"},
            {"conflict": "a" * 4_001},
        )
    ],
    "POST /dockets/{hash}/draft": [
        posted("/dockets/{docket}/draft", {"outcome": "acquitted"}, {"outcome": "\0"}, {})
    ],
    "POST /dockets/{hash}/reopen": [posted("/dockets/{docket}/reopen", {})],
    "POST /dockets/{hash}/signed": [
        posted("/dockets/{docket}/signed", {}, {"signed": "no file"}),
    ],
}


TRIAL: Mapping[str, Sequence[Asker]] = {
    "GET /": [anything_but()],
    "POST /": [tried("/", SHOWN)],
    "GET /style.css": [anything_but("/style.css")],
}
