"""Commands of logs and those who follow them, and nonsense for one argument of each.

{} is where it goes. Words in braces are places that `Console` knows; `own` is a copy of the
party's folder.
"""

from tests.hostile.nonsense_of_people import Nonsense
from tests.hostile.values import (
    ADDRESSES,
    COUNTS,
    FILES,
    FOLDERS,
    KEYS,
    NAMES,
    PACES,
    PATHS,
    SHORT_NAMES,
)

MONITOR = "monitor run --programme programme --dir made --once"
WITNESS = "witness serve --dir own --listen nowhere"
LOG = "log serve --dir own --policy policy.txt --listen nowhere"
OF_LOGS: Nonsense = {
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
    "audit public --policy policy.txt --unsealed={}": FILES | {"no unsealing": "policy.txt"},
    "audit public --policy policy.txt --logs-only --unsealed={}": {"no decision": "policy.txt"},
    "fork verify tampered/ledger.fork --log={}": KEYS,
    "fork verify tampered/ledger.fork{}": {"nobody trusted": ""},
    "fork verify --policy policy.txt {}": PATHS,
    "fork show {}": PATHS,
}
