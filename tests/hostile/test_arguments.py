"""Every verb is given nonsensical arguments: one `error:` line, and nothing changes."""

from collections.abc import Mapping

import pytest
from tests.hostile.console import WORDS, Console, check_refused, copy_own, still

NAMES = {
    "nothing": "",
    "a blank": "a b",
    "a plus": "a+b",
    "a line feed": "a\nb",
    "an order to the terminal": "a\x1b[2J",
    "not UTF-8": "a\udcff",
    "huge": "a" * 10_000,
}
SHORT_NAMES = NAMES | {
    "the folder above": "..",
    "a path": "../door",
    "no letter": "-",
    "a capital": "Ledger",
}
KEYS = {
    "nothing": "",
    "no key": "nonsense",
    "a witness's key": "{witness}",
    "half a key": "harbour-2027/ledger+16541b8f",
    "another key ID": "x+00000000+AZAnUOb2K9XMUzb4y0+qlcDtmP8Q6BYzKSxfMaQhv/pB",
    "not UTF-8": "x+\udcff+AZ",
    "huge": "x" * 100_000,
}
ADDRESSES = {
    "nothing": "",
    "no address": "nonsense",
    "no host": "http://",
    "half a host": "http://[",
    "no port": "http://127.0.0.1:99999",
    "nobody there": "http://127.0.0.1:1",
    "another scheme": "ftp://127.0.0.1/",
    "a file": "file:///etc/passwd",
    "another site": "{north}",
    "an order to the terminal": "http://127.0.0.1:1/\x1b[2J\n",
    "not UTF-8": "http://\udcff",
    "huge": f"http://{'a' * 70_000}",
}
PATHS = {
    "nothing there": "nothing/at/all",
    "huge": "a" * 10_000,
    "not UTF-8": "nothing\udcff",
}
FOLDERS = {"huge": PATHS["huge"], "a file": "policy.txt"}  # to be made
PACES = {
    "never": "0",
    "backwards": "-1",
    "no number": "x",
    "not a number": "nan",
    "for ever": "inf",
    "huge": "1" + "0" * 400,
}
COUNTS = {each: PACES[each] for each in ("backwards", "no number", "not a number")}
MONITOR = "monitor run --programme programme --dir made --once"
WITNESS = "witness serve --dir own --listen nowhere"
LOG = "log serve --dir own --policy policy.txt --listen nowhere"
NONSENSE: Mapping[str, Mapping[str, str]] = {
    "log new --dir made --kind ledger --origin x.example/l --name={}": SHORT_NAMES,
    "log new --dir made --kind ledger --name l --origin={}": NAMES,
    "log new --dir made --kind {} --name l --origin x": {"none": "diary", "nothing": ""},
    "log new --dir made --kind ledger --name l --origin x --pad={}": COUNTS | {"huge": "1025"},
    "log new --dir made --kind gazette --name l --origin x --classic --pad={}": {"one": "8"},
    "log new --dir log --kind gazette --name gazette --origin x --classic{}": {"again": ""},
    "log new --kind gazette --name l --origin x --dir={}": FOLDERS,
    "log fsck --dir log --name={}": SHORT_NAMES,
    "log fsck --dir={}": PATHS,
    "log repair --name ledger --from-mirror {mirror}/ledger --dir={}": PATHS,
    "log serve --policy policy.txt --listen nowhere --dir={}": PATHS,
    "log fsck --dir log{}": {"while it runs": ""},
    "log repair --dir log --name gazette --from-mirror={}": {
        "while it runs": "{mirror}/gazette"
    },
    "log repair --dir log --from-mirror {mirror}/gazette --name={}": SHORT_NAMES,
    f"{LOG} --every={{}}": PACES,
    f"{LOG} --republish={{}}": PACES,
    f"{LOG} --reserve={{}}": COUNTS | {"huge": PACES["huge"]},
    f"{LOG} --pad={{}}": COUNTS | {"huge": PACES["huge"]},
    "witness new --dir made --name={}": NAMES,
    "witness new --dir made --classic --name={}": NAMES,
    "witness new --dir witness/north --name={}": {"again": "north.example"},
    "witness new --name x.example --dir={}": FOLDERS,
    "witness serve --listen nowhere --log {vkey} --dir={}": PATHS,
    "witness catch-up --log {vkey} --log-url {log}/gazette --dir={}": PATHS,
    f"{WITNESS} --log={{}}": KEYS,
    f"{WITNESS} --logs={{}}": {each: PATHS[each] for each in ("nothing there", "huge")},
    f"{WITNESS}{{}}": {"no log": ""},
    "witness serve --dir witness/north --listen nowhere --log={}": {"while it runs": "{vkey}"},
    "witness catch-up --dir own --log-url {log}/gazette --log={}": KEYS,
    "witness catch-up --dir own --log {vkey} --log-url={}": ADDRESSES,
    "witness catch-up --dir own --log {vkey} --log-url={}/gazette": {"a door": "{door}"},
    "witness catch-up --dir witness/north --log {vkey} --log-url={}": {
        "while it runs": "{log}/gazette"
    },
    "mirror new --dir made --programme={}": PATHS | {"half a programme": "public"},
    "mirror new --dir made --programme programme --name={}": NAMES
    | {"a witness's": "north.example", "a log's": "harbour-2027/ledger"},
    "mirror new --dir mirror --programme={}": {"again": "programme"},
    "mirror new --programme programme --dir={}": FOLDERS,
    "mirror copy --dir={}": PATHS | {"while it runs": "mirror"},
    "mirror serve --listen nowhere --dir={}": PATHS,
    "mirror serve --dir mirror --listen nowhere --every={}": PACES,
    f"{MONITOR} --every={{}}": PACES,
    f"{MONITOR} --stale={{}}": COUNTS,
    f"{MONITOR} --answer-days={{}}": COUNTS,
    f"{MONITOR} --on-alert={{}}": {"nothing": "", "blanks": "  ", "half a quote": "mail 'x"},
    f"{MONITOR} --owed={{}}": PATHS | {"a file": "policy.txt"},
    f"{MONITOR} --public={{}}": PATHS | {"a file": "policy.txt", "nothing": ""},
    f"{MONITOR} --listen={{}}": {"at once": "127.0.0.1:0", "nothing": ""},
    f"{MONITOR} --mirror={{}}": {
        **{
            each: ADDRESSES[each]
            for each in ("nothing", "no address", "another scheme", "a file")
        },
        "a witness": "{north}",
    },
    "monitor run --programme programme --once --dir={}": FOLDERS | {"while it runs": "monitor"},
    "monitor run --dir made --once --programme={}": PATHS,
    "source restore --programme programme --out made --mirror={}": ADDRESSES,
    "source restore --mirror {mirror} --out made --programme={}": PATHS,
    "audit public --logs-only --policy={}": PATHS,
    "fork verify tampered/ledger.fork --log={}": KEYS,
    "fork verify tampered/ledger.fork{}": {"nobody trusted": ""},
    "fork verify --policy policy.txt {}": PATHS,
    "fork show {}": PATHS,
}
GIVEN = [
    pytest.param(
        command, value, id=f"{command.partition(' --')[0]} {command.split()[-1]} {kind}"
    )
    for command, values in NONSENSE.items()
    for kind, value in values.items()
]


@pytest.mark.parametrize(("command", "value"), GIVEN)
def test_a_nonsensical_argument_gets_one_clear_error_and_changes_nothing(
    console: Console, command: str, value: str
) -> None:
    copy = copy_own(console, command)
    before, kept = console.held(), still(copy)
    code = console.run(command, WORDS, value)
    check_refused(console, command, code)
    assert console.held() == before
    assert still(copy) == kept
