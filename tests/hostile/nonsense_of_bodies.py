"""Commands of those who decide: the board's console, appeals, listings, and laws.

{} is where the nonsense goes. Words in braces are places that `Console` knows.
"""

from tests.hostile.nonsense_of_people import TIPS, Nonsense
from tests.hostile.values import (
    CHOICES,
    FILES,
    HASHES,
    INSTANTS,
    LISTENS,
    MEMBERS,
    NAMES,
    NUMBERS,
    OUTPUTS,
    PARTIES,
    PATHS,
    POSITIVE,
)

CONSOLE = "--dir console --programme programme"
NO_CONSOLE = PARTIES | {"nobody's": "folder"}
_ORIGINS = {
    "no origin": "nonsense",
    "no TLS": "http://board.example",
    "a path": "https://board.example/console",
    "a name inside": "https://anna@board.example",
    "an address": "https://192.0.2.1",
    "an order to the terminal": "https://\x1b[2J",
    "not UTF-8": "https://\udcff",
    "huge": f"https://{'a' * 70_000}.example",
}
_SEATS = {each: NAMES[each] for each in ("nothing", "a blank", "a line feed", "huge")} | {
    "not UTF-8": "\udcff",
    "an order to the terminal": "\x1b[2J",
    "nobody's": "harbour-2027/board/99",
}
_PANELS = MEMBERS | {"no key": "nonsense"}
OF_CONSOLE: Nonsense = {
    "board console --dir made --programme programme --listen={}": {
        **LISTENS,
        "every address": "0.0.0.0:1",
        "any port": "127.0.0.1:0",
        "a name": "board.example:8500",
    },
    "board console --dir made --programme programme --listen nowhere --origin={}": _ORIGINS,
    "board console --dir made --listen 127.0.0.1:8500 --programme={}": PATHS,
    "board console --programme programme --listen nowhere --dir={}": PATHS,
    "board console-pull --programme programme --dir={}": NO_CONSOLE,
    "board console-pull --dir console --programme={}": PATHS,
    f"board console-list {CONSOLE} --member={{}}": _SEATS,
    "board console-list --programme programme --member {member} --dir={}": NO_CONSOLE,
    "board console-list --dir console --member {member} --programme={}": PATHS,
    f"board console-put {CONSOLE} {{}}": FILES | {"another decision": "board/decision-pilot"},
    "board console-put board/decision-pilot --programme programme --dir={}": NO_CONSOLE,
    "board invite --dir console {}": _SEATS,
    "board invite {member} --dir={}": NO_CONSOLE,
    "board console-key --dir={}": {"huge": PATHS["huge"], "a file": "policy.txt"},
    "board panel --programme programme --threshold 1 --out made --member={}": _PANELS
    | {"a log": "{vkey}"},
    "board panel --programme programme --member {vkey} --out made --threshold={}": POSITIVE
    | {"more than all": "2"},
    "board panel --member {vkey} --threshold 1 --out made --programme={}": PATHS,
    "board panel --programme programme --member {vkey} --threshold 1 --out={}": OUTPUTS,
}

_JUDGED = "--judge claimant_is_subject=yes"
OF_DECIDING: Nonsense = {
    "register propose {case} --dir register --out made --with={}": TIPS
    | {"none": "0", "itself": "{case}", "another's": "1"},
    "register propose {case} --dir register --out made --withdrawal={}": FILES,
    "register propose {case} --dir register --out made --withdrawal policy.txt "
    "--withdrawal-proof={}": FILES | {"none": "policy.txt"},
    "register enter --dir register {case} board/decision-pilot --votes={}": FILES
    | {"no votes": "policy.txt"},
    "register enter --dir register {case} board/decision-pilot --departure={}": FILES,
    "register appeal-propose --dir register --out made {}": TIPS
    | {"none": "0", "not appealed": "{case}"},
    f"register appeal-propose {{case}} {_JUDGED} --out made --dir={{}}": PARTIES,
    "register appeal-propose 3 --dir register --out made --judge={}": {
        "nothing": "",
        "no panel": "claimant_is_subject=yes",
        "neither": "claimant_is_subject=perhaps",
    },
    "register appeal-enter --dir register --votes policy.txt {} board/decision-pilot": TIPS,
    "register appeal-enter --dir register --votes policy.txt 3 {}": FILES,
    "register appeal-enter --dir register 3 board/decision-pilot --votes={}": FILES
    | {"no votes": "policy.txt"},
    "register appeal-enter --dir register 3 board/decision-pilot --votes policy.txt "
    "--departure={}": FILES,
    "register docket --dir register --out made {}": TIPS | {"decided": "1"},
    "register docket {case} --out made --dir={}": PARTIES,
    "register docket {case} --dir register --out={}": OUTPUTS,
    "register unseal --dir register --out made {}": TIPS | {"open": "1", "undecided": "{case}"},
    "register unseal 1 --out made --dir={}": PARTIES,
    "register unseal 1 --dir register --out={}": OUTPUTS,
    "register console-key --dir register {}": MEMBERS | {"a witness's": "{witness}"},
    "register console-key {vkey} --dir={}": PARTIES | {"nobody's": "folder"},
}

_NUMBERED = NUMBERS | {"none": "0", "too far": "999", "beyond SQLite": "9" * 19}
_TEXTS = {
    "nothing": "",
    "blanks": "  ",
    "a null": "a\0b",
    "an order to the terminal": "\x1b[2J",
    "turned round": "\u202eevil",
    "not UTF-8": "\udcff",
    "huge": "a" * 100_000,
}
_CORRECTED = {"field": "name", "was": "x", "is": "y", "evidence": "z"}


def _numbered(rest: str) -> Nonsense:
    """A verb about one listing, whose number is nonsense."""
    return {f"register list {rest} --dir register {{}}": _NUMBERED}


def _correcting(left: str) -> str:
    given = (f"--{name} {text}" for name, text in _CORRECTED.items() if name != left)
    return f"register list correct {{told}} --dir register {' '.join(given)} --{left}={{}}"


OF_LISTINGS: Nonsense = {
    "register list all --dir={}": PARTIES,
    "register list due --dir={}": PARTIES,
    "register list propose --dir register {}": FILES | {"no person": "policy.txt"},
    "register list propose person.json --dir={}": PARTIES,
    **_numbered("show"),
    **_numbered("notify"),
    **_numbered("reply letter.txt"),
    **_numbered("decide --out made"),
    **_numbered("enter board/decision-pilot"),
    **_numbered(
        "appeal-decision --result uphold --reasons letter.txt --votes policy.txt --out made"
    ),
    **_numbered("publish board/decision-pilot"),
    **_numbered("review --found x"),
    **_numbered("identity --judgement same --evidence x"),
    **_numbered("correct --field name --was x --is y --evidence z"),
    **_numbered("end --cause dropped --reasons x"),
    "register list notify {told} --dir={}": PARTIES,
    "register list reply {told} --dir register {}": FILES,
    "register list reply {proposed} --dir register {}": {"not told yet": "letter.txt"},
    "register list decide {told} --dir register --out made --outcome={}": CHOICES,
    "register list decide {told} --dir register --out made --votes={}": FILES
    | {"no votes": "policy.txt"},
    "register list decide {proposed} --dir register --out={}": {"not told yet": "made"},
    "register list enter {told} --dir register {}": FILES
    | {"another's": "board/decision-pilot"},
    "register list appeal-decision {told} --dir register --reasons letter.txt --out made "
    "--votes policy.txt --result={}": CHOICES | {"not appealed": "uphold"},
    "register list appeal-decision {told} --dir register --result uphold --out made "
    "--votes policy.txt --reasons={}": FILES,
    "register list appeal-decision {told} --dir register --result uphold --out made "
    "--reasons letter.txt --votes={}": FILES | {"no votes": "policy.txt"},
    "register list finalise --out made --dir={}": PARTIES,
    "register list publish {told} --dir register {}": FILES
    | {"another's": "board/decision-pilot"},
    "register list review {told} --dir register --found={}": _TEXTS | {"not effective": "x"},
    "register list review 1 --dir register --found={}": _TEXTS,
    "register list identity {told} --dir register --evidence x --judgement={}": CHOICES,
    "register list identity {told} --dir register --judgement same --evidence={}": _TEXTS,
    **{_correcting(name): _TEXTS for name in _CORRECTED},
    "register list end {told} --dir register --reasons x --cause={}": CHOICES
    | {"not effective": "expired"},
    "register list end {told} --dir register --cause dropped --reasons={}": _TEXTS,
    "register import --dir register --format csv {}": FILES,
    "register import --dir register --format ftm {}": FILES,
    "register import list.csv --dir register --format={}": CHOICES,
    "register import list.csv --format csv --dir={}": PARTIES,
}

LAW = "public/statutes/1.json"
_LAWS = FILES | {"another ending": "policy.txt"}
_MOMENTS = {each: value for each, value in INSTANTS.items() if each != "no time"} | {
    "no day of this year": "2027-02-29",
    "an offset of a day": "2027-06-01T00:00:00+24:00",
    "no such year": "0000-01-01",
    "a null": "2027\0",
}
OF_LAWS: Nonsense = {
    "statute lint --json {}": _LAWS | {"nothing in it": "board"},
    "statute test --json {}": _LAWS | {"nothing in it": "board"},
    "statute try {}": _LAWS,
    f"statute try {LAW} --facts={{}}": _LAWS,
    f"statute try {LAW} --as-of={{}}": _MOMENTS,
    f"statute try {LAW} --language={{}}": CHOICES,
    f"statute try {LAW} --listen={{}}": LISTENS
    | {"every address": "0.0.0.0:1", "another machine": "192.0.2.1:80"},
    f"statute try {LAW} --out={{}}": OUTPUTS,
    f"statute diff {LAW} {{}}": _LAWS,
    f"statute diff {{}} {LAW}": _LAWS,
    "statute diff {}": {
        "one version": LAW,
        "a law of one version": "statutes/example/acquittal",
    },
    f"statute diff {LAW} {LAW} --facts={{}}": _LAWS,
    "statute schema {}": {"too much": "x", "huge": PATHS["huge"]},
    "statute eval statutes/south-africa/reconciliation-1995 facts.json --act={}": _MOMENTS,
    "statute eval statutes/south-africa/reconciliation-1995 facts.json --claim={}": _MOMENTS,
    f"statute eval {LAW} facts.json --act={{}}": {"one version": "2027-01-01"},
    f"statute eval {LAW} facts.json --beside={{}}": _LAWS
    | {"the same version": LAW, "another law": "statutes/poland/lustration-2006/1.yaml"},
    "statute eval statutes/south-africa/reconciliation-1995 facts.json --beside={}": {
        "a version that is there": "statutes/south-africa/reconciliation-1995/1.yaml"
    },
    "statute publish --programme programme --out made {}": _LAWS,
    f"statute publish {LAW} --out made --programme={{}}": PATHS,
    f"statute publish {LAW} --programme programme --out={{}}": OUTPUTS,
    "board statute --programme programme --out made --law={}": HASHES,
}
OF_BODIES: Nonsense = {**OF_CONSOLE, **OF_DECIDING, **OF_LISTINGS, **OF_LAWS}
