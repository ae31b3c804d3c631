"""Commands, and which of their files is made malformed: one given, or one of a party's own.

Words in braces are places that `Console` knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.hostile.console import KINDS

SIGNED = "board/decision-pilot"
PREPARE = (
    "source prepare --programme programme --gazette saved --number 0 letter.txt --out made"
)
ISSUE = "desk credit issue {visitor} --dir desk"
ISSUE_OWN = "desk credit issue {visitor} --dir own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A command in the play's folder; `bad` in it is a file made malformed.

    `valid` is the file that it is made from: below the play's folder, or below the checkout.
    """

    command: str
    valid: str
    name: str = "bad"
    kinds: Sequence[str] = KINDS


SPOILT: Sequence[Case] = (
    Case(command="audit public --policy bad", valid="policy.txt"),
    Case(command="receipt show bad", valid="receipts/clerk.tlog-proof"),
    Case(
        command="receipt verify bad --record receipts/clerk.record --policy policy.txt",
        valid="receipts/clerk.tlog-proof",
    ),
    Case(
        command="receipt verify receipts/clerk.tlog-proof --record bad --policy policy.txt",
        valid="receipts/clerk.record",
    ),
    Case(
        command="receipt verify receipts/clerk.tlog-proof --policy bad "
        "--record receipts/clerk.record",
        valid="policy.txt",
    ),
    *(
        Case(command=f"statute {verb} {name}", valid=valid, name=name)
        for verb in ("lint", "test", "compile")
        for name, valid in (
            ("bad.json", "public/statutes/1.json"),
            ("bad.yaml", "statutes/example/acquittal/statute.yaml"),
        )
    ),
    Case(
        command="statute eval bad.json facts.json",
        valid="public/statutes/1.json",
        name="bad.json",
    ),
    Case(
        command="statute eval public/statutes/1.json bad.json",
        valid="public/register.json",
        name="bad.json",
    ),
    Case(command="board show bad", valid="board/decision-engineer"),
    Case(command="board sign bad --key board/member-1/key", valid="board/decision-engineer"),
    Case(command="board sign board/decision-engineer --key bad", valid="board/member-1/key"),
    Case(command="board notice bad --programme programme", valid="board/decision-engineer"),
    Case(
        command="board statute --programme programme --law bad.json --out made",
        valid="public/statutes/1.json",
        name="bad.json",
    ),
    Case(
        command="board statute --programme programme --law bad.yaml --out made",
        valid="statutes/example/acquittal/statute.yaml",
        name="bad.yaml",
    ),
    Case(
        command="desk reply {tip} --dir desk --text-file bad",
        valid="policy.txt",
        kinds=("empty", "huge", "not UTF-8"),
    ),
    Case(
        command="desk keep-statement --dir desk --text-file bad",
        valid="policy.txt",
        kinds=("empty", "huge", "not UTF-8"),
    ),
    Case(command="register enter 1 bad --dir register", valid="board/decision-engineer"),
    Case(
        command="register propose 1 --dir register --out made --assessment bad "
        "--assessment-proof receipts/clerk.tlog-proof",
        valid="board/decision-engineer",
        kinds=("huge", "not UTF-8"),  # what parses is the board's to judge
    ),
    Case(
        command="register propose 1 --dir register --out made --assessment-proof bad "
        "--assessment board/decision-engineer",
        valid="receipts/clerk.tlog-proof",
        kinds=("huge", "not UTF-8"),
    ),
    Case(
        command="register enter-publication bad --dir register", valid="board/decision-engineer"
    ),
    Case(
        command="register enter-publication bad --claim 1 --dir register",
        valid="board/decision-engineer",
    ),
    Case(
        command="press capture --programme programme --dir press bad.html",
        valid="examples/press/deputy-denounces.html",
        name="bad.html",
        kinds=("empty", "huge"),
    ),
    Case(
        command="source prepare --programme programme --gazette bad --number 0 letter.txt "
        "--out made",
        valid="saved",
    ),
    Case(command=f"{PREPARE} --questions bad --answers answers.json", valid="questions.json"),
    Case(command=f"{PREPARE} --questions questions.json --answers bad", valid="answers.json"),
    Case(command="source send --programme programme --wait 0 --prepared bad", valid="envelope"),
    Case(command="source verify-client bad --programme programme --wait 0", valid="policy.txt"),
    Case(
        command="programme client bad --platform linux --version 1 --programme programme",
        valid="policy.txt",
        kinds=("empty",),
    ),
    Case(command="desk credit issue {visitor} --dir desk --link bad", valid=SIGNED),
    Case(command=f"{ISSUE} --link {SIGNED} --credit bad", valid=SIGNED),
    Case(command=f"{ISSUE} --link {SIGNED} --issuing-key bad", valid="board/member-1/key"),
    *(
        Case(command=f"opening {verb} opening {ground}", valid=valid)
        for verb in ("verify", "judge --to {archive} --out made")
        for ground, valid in (
            ("--gazette public --policy bad", "policy.txt"),
            ("--gazette public --policy policy.txt --payload bad", "opening/payload"),
        )
    ),
    Case(command="log serve --dir log --policy bad --listen nowhere", valid="policy.txt"),
    Case(
        command="log repair --dir log --name ledger --from-mirror {mirror}/ledger --policy bad",
        valid="policy.txt",
    ),
    Case(command="fork verify bad --policy policy.txt", valid="tampered/ledger.fork"),
    Case(command="fork verify bad --log {vkey}", valid="tampered/ledger.fork"),
    Case(command="fork verify tampered/ledger.fork --policy bad", valid="policy.txt"),
    Case(command="fork show bad", valid="tampered/ledger.fork"),
    Case(command="audit public --logs-only --policy bad", valid="policy.txt"),
    Case(command="mirror new --dir made --programme bad", valid="policy.txt"),
    Case(
        command="mirror new --dir made --programme bad --name mirror.example",
        valid="policy.txt",
    ),
)

# By command: the party whose folder is copied as `own`, and the files in it that are spoilt.
OWN: Mapping[str, tuple[str, Sequence[str]]] = {
    "door --dir own --listen nowhere": (
        "door",
        ("programme.toml", "policy.txt", "server.key", "door.sqlite", "days.sqlite"),
    ),
    "door staff-key anna --dir own": ("door", ("programme.toml",)),
    "door notice --now --dir own": ("door", ("programme.toml",)),
    "desk aside {tip} --dir own": ("desk", ("programme.toml", "desk.sqlite")),
    "source withdraw 0 --programme own --wait 0 --yes": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "source verify-client policy.txt --programme own --wait 0": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "programme client policy.txt --platform linux --version 1 --programme own": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "desk serve --dir own --listen 127.0.0.1:nowhere": (
        "desk",
        ("programme.toml", "policy.txt", "console.code"),
    ),
    "desk new-epoch --dir own --number 2 --opens 2027-01-01T00:00:00Z "
    "--closes 2027-02-01T00:00:00Z": ("desk", ("programme.toml", "policy.txt")),
    "desk list --dir own": ("desk", ("programme.toml", "desk.sqlite")),
    "desk pull --dir own": ("desk", ("programme.toml", "keys/epoch-1.statement")),
    "desk show {tip} --dir own": ("desk", ("programme.toml",)),
    "desk assess {tip} --dir own": ("desk", ("policy.txt", "keys/epoch-1.statement")),
    "desk grade {tip} --dir own --assessor x --reliability B --credibility 2 --reasons y": (
        "desk",
        ("programme.toml",),
    ),
    "desk rotate --dir own --closes 2030-01-01T00:00:00Z": (
        "desk",
        ("programme.toml", "policy.txt"),
    ),
    "desk epochs --dir own": ("desk", ("programme.toml", "desk.sqlite")),
    "desk retire --dir own --epoch 1": ("desk", ("programme.toml", "policy.txt")),
    "desk archive fill --dir own": ("desk", ("programme.toml", "desk.sqlite")),
    "desk export {tip} --dir own --to {archive} --out own/made": ("desk", ("desk.sqlite",)),
    "desk open {tip} --dir own --purpose court --out own/made": (
        "desk",
        ("desk.sqlite", "keys/epoch-1.statement", "policy.txt"),
    ),
    "desk credit offer {visitor} --dir own": (
        "desk",
        ("credits.sqlite", "keys/epoch-1.statement", "policy.txt"),
    ),
    "desk credit list --dir own": ("desk", ("credits.sqlite", "programme.toml", "policy.txt")),
    "desk credit draft {visitor} --dir own --out own/made": ("desk", ("credits.sqlite",)),
    f"{ISSUE_OWN} --link {SIGNED} --credit {SIGNED}": (
        "desk",
        ("credits.sqlite", "keys/epoch-1.statement"),
    ),
    "desk credit count --dir own": ("desk", ("credits.sqlite", "programme.toml")),
    "register serve --dir own --listen nowhere": (
        "register",
        ("programme.toml", "registry.key", "registry.sqlite"),
    ),
    "register cases --dir own": ("register", ("programme.toml", "registry.key")),
    "register show 1 --dir own": ("register", ("policy.txt",)),
    "register finalise --dir own --out own/made": ("register", ("registry.key",)),
    "register publish --dir own --out own/made": ("register", ("policy.txt",)),
    "register redemptions --dir own": ("register", ("registry.sqlite", "policy.txt")),
    "register credit-count --dir own --class useful --period 1 --issued 1 --out own/made": (
        "register",
        ("registry.sqlite", "registry.key", "programme.toml"),
    ),
    "opening verify own --policy policy.txt --gazette public": (
        "opening",
        ("opening.json", "payload"),
    ),
    "opening judge own --policy policy.txt --gazette public --to {archive} --out own/made": (
        "opening",
        ("opening.json", "payload"),
    ),
    "opening verify opening --policy policy.txt --gazette own": (
        "public",
        ("gazette/checkpoint", "gazette/tile/entries/000.p/*"),
    ),
    "source send --programme programme --wait 0 --prepared own": (
        "parcel",
        ("contribution.record", "envelope.age", "capsule", "slot"),
    ),
    "source send --programme own --wait 0 --prepared parcel": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "source reply --programme own --wait 0 --number 0 letter.txt": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "source gazette --programme own --out own/made": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "source prepare --programme own --gazette saved --number 0 letter.txt --out own/made": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "source credit --programme own --wait 0": ("programme", ("programme.toml", "policy.txt")),
    "source open --programme own --wait 0 --number 0 --purpose court --yes --out own/made": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "board new-issuing-key --programme own --class useful --period 1 --key own/made "
    "--statute-hash {law}": ("programme", ("programme.toml", "policy.txt")),
    "witness serve --dir own --listen nowhere --log {vkey}": (
        "witness/north",
        ("key", "witness.db"),
    ),
    "witness catch-up --dir own --log {vkey} --log-url {log}/gazette": (
        "witness/north",
        ("key", "witness.db"),
    ),
    "log serve --dir own --policy policy.txt --listen nowhere": (
        "log",
        ("gazette/log.json", "gazette/key", "gazette/key-mldsa44", "gazette/signed.db"),
    ),
    "log repair --dir own --name gazette --from-mirror {mirror}/gazette": (
        "log",
        ("gazette/log.json", "gazette/key", "gazette/key-mldsa44", "gazette/signed.db"),
    ),
    "mirror copy --dir own": (
        "mirror",
        (
            "policy.txt",
            "programme.toml",
            "shelf.db",
            "ledger/index.db",
            "ledger/checkpoints.db",
        ),
    ),
    "mirror serve --dir own --listen nowhere": ("mirror", ("policy.txt", "programme.toml")),
    "mirror new --dir own/made --programme own": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "monitor run --programme own --dir own/made --once": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "monitor run --programme programme --dir own --once": ("monitor", ("monitor.db",)),
    "source restore --programme own --mirror {mirror} --out own/made": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "programme show --programme own": ("programme", ("programme.toml", "policy.txt")),
    "source send --programme own policy.txt": ("programme", ("programme.toml", "policy.txt")),
    "source inbox --programme own": ("programme", ("programme.toml", "policy.txt")),
    "source status --programme own": ("programme", ("programme.toml",)),
    "source receipt --programme own --out own/made": ("programme", ("policy.txt",)),
    "source claim --programme own --subject r-0001 --name x": (
        "programme",
        ("programme.toml",),
    ),
    "press log --programme own --dir press": ("programme", ("programme.toml",)),
    "press show --dir own": ("press", ("captures/*/public.json", "captures/*/capture.record")),
}
WHOLE = (
    "audit public --policy policy.txt",
    "receipt show receipts/clerk.tlog-proof",
    "receipt verify receipts/clerk.tlog-proof --record receipts/clerk.record "
    "--policy policy.txt",
    "statute lint public/statutes/1.json",
    "statute test statutes/example/acquittal/statute.yaml",
    "board show board/decision-engineer",
    "desk list --dir desk",
    "desk show {tip} --dir desk",
    "register cases --dir register",
    "register show 1 --dir register",
    "press show --dir press",
    "programme show --programme programme",
    "audit public --policy policy.txt --logs-only",
    "audit mirror/gazette/public --policy policy.txt --logs-only",
    "fork verify tampered/ledger.fork --policy policy.txt",
    "opening verify opening --policy policy.txt --gazette public",
    "opening verify opening --programme programme",
    "desk epochs --dir desk",
    "desk credit list --dir desk",
    "desk credit count --dir desk",
    "register redemptions --dir register",
    "fork show tampered/ledger.fork",
)
