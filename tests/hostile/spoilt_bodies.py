"""As `spoilt_files`, for those who decide: the console, appeals, listings, folders of laws."""

from collections.abc import Mapping, Sequence

from tests.hostile.spoilt_files import Case

_LAW = "statutes/example/acquittal/statute.yaml"
_JSON_LAW = "public/statutes/1.json"
_LAWS: Sequence[Case] = (
    *(
        Case(command=f"statute {command} {name}", valid=valid, name=name)
        for command in ("try", f"diff {_LAW}")
        for name, valid in (("bad.json", _JSON_LAW), ("bad.yaml", _LAW))
    ),
    Case(
        command="statute publish bad.yaml --programme programme --out made",
        valid=_LAW,
        name="bad.yaml",
    ),
    Case(command=f"statute diff bad.yaml {_LAW}", valid=_LAW, name="bad.yaml"),
    Case(
        command=f"statute diff {_LAW} {_LAW} --facts bad.json",
        valid="public/register.json",
        name="bad.json",
        kinds=("empty", "huge", "truncated", "not UTF-8"),
    ),
    *(
        Case(command=command, valid="public/register.json", name="bad.yaml")
        for command in (
            f"statute eval {_LAW} bad.yaml",
            f"statute try {_LAW} --facts bad.yaml",
            f"statute try {_LAW} --facts bad.yaml --listen 127.0.0.1:nowhere",
        )
    ),
    *(
        Case(command=f"statute {verb}", valid=_LAW, name="folder/1.yaml")
        for verb in (
            *("lint folder", "test folder", "eval folder facts.json", "try folder"),
            "diff folder",
        )
    ),
)
_RECORD = "board/decision-pilot"
_DECIDING: Sequence[Case] = (
    Case(
        command=f"register enter {{case}} {_RECORD} --votes bad --dir register", valid=_RECORD
    ),
    Case(
        command=f"register enter {{case}} {_RECORD} --departure bad --dir register",
        valid="policy.txt",
        kinds=("huge", "not UTF-8"),
    ),
    Case(
        command=f"register appeal-enter 3 bad --votes {_RECORD} --dir register", valid=_RECORD
    ),
    Case(
        command=f"register appeal-enter 3 {_RECORD} --votes bad --dir register", valid=_RECORD
    ),
    *(
        Case(
            command=f"register {verb} --dir register --out made --{given} --{other} policy.txt",
            valid=_RECORD,
            kinds=("empty", "huge", "not UTF-8"),
        )
        for verb in ("propose {case}", "appeal-propose 3")
        for given, other in (
            ("withdrawal bad", "withdrawal-proof"),
            ("withdrawal-proof bad", "withdrawal"),
            ("assessment bad", "assessment-proof"),
            ("assessment-proof bad", "assessment"),
        )
    ),
    Case(command="board console-put bad --dir console --programme programme", valid=_RECORD),
)
_TEXT = ("empty", "huge", "not UTF-8")
_LISTINGS: Sequence[Case] = (
    Case(
        command="register list propose bad.json --dir register",
        valid="person.json",
        name="bad.json",
    ),
    Case(command="register list enter {told} bad --dir register", valid=_RECORD),
    Case(command="register list publish {told} bad --dir register", valid=_RECORD),
    Case(
        command="register list decide {told} --votes bad --dir register --out made",
        valid=_RECORD,
    ),
    Case(
        command="register list reply {told} bad --dir register", valid="policy.txt", kinds=_TEXT
    ),
    Case(
        command="register list appeal-decision {told} --result uphold --reasons bad "
        "--votes policy.txt --dir register --out made",
        valid="policy.txt",
        kinds=_TEXT,
    ),
    Case(
        command="register list appeal-decision {told} --result uphold --votes bad "
        "--reasons policy.txt --dir register --out made",
        valid=_RECORD,
    ),
)
SPOILT_BY_BODIES: Sequence[Case] = (*_LAWS, *_DECIDING, *_LISTINGS)

_REGISTER = ("programme.toml", "policy.txt", "registry.key", "registry.sqlite")
_CONSOLE = ("console.key", "console.sqlite")
OWN_OF_BODIES: Mapping[str, tuple[str, Sequence[str]]] = {
    "register list all --dir own": ("register", _REGISTER),
    "register list due --dir own": ("register", _REGISTER),
    "register list show {told} --dir own": ("register", _REGISTER),
    "register list propose person.json --dir own": ("register", _REGISTER),
    "register list notify {told} --dir own": ("register", _REGISTER),
    "register list finalise --dir own --out own/made": ("register", _REGISTER),
    "register import list.csv --format csv --dir own": ("register", _REGISTER),
    "register docket {case} --dir own --out own/made": ("register", _REGISTER),
    "register console-key {vkey} --dir own": ("register", ("registry.key",)),
    "register appeal-propose 3 --dir own --out own/made": ("register", _REGISTER),
    "board console --dir own --programme programme --listen nowhere "
    "--origin https://board.example": ("console", _CONSOLE),
    "board console-pull --dir own --programme programme": ("console", _CONSOLE),
    "board console-list --dir own --programme programme --member {member}": (
        "console",
        _CONSOLE,
    ),
    f"board console-put {_RECORD} --dir own --programme programme": ("console", _CONSOLE),
    "board invite {member} --dir own": ("console", ("console.sqlite",)),
    "board console-key --dir own": ("console", ("console.key",)),
    "board console-pull --dir console --programme own": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "board panel --programme own --member {vkey} --threshold 1 --out own/made": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    f"statute publish {_LAW} --programme own --out own/made": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
}
WHOLE_OF_BODIES = (
    "register list all --dir register",
    "register list all --dir register --json",
    "register list due --dir register",
    "register list show {told} --dir register",
    "register import list.csv --format csv --dry-run --dir register",
    "register docket {case} --dir register --out made",
    "board console-list --dir console --programme programme --member {member}",
    "board console-key --dir console",
    "statute lint statutes",
    "statute diff statutes/south-africa/reconciliation-1995",
    "statute schema",
)
