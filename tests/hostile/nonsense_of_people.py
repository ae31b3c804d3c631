"""Commands of sources, desk, board, register and court, and nonsense for one argument of each.

{} is where it goes. Words in braces are places that `Console` knows.
"""

from collections.abc import Mapping

from tests.hostile.values import (
    CHOICES,
    FILES,
    FOLDERS,
    HASHES,
    INSTANTS,
    LISTENS,
    MEMBERS,
    NAMES,
    NEW_FOLDERS,
    NUMBERS,
    ONION_PORTS,
    OUTPUTS,
    PARTIES,
    PATHS,
    PLATFORMS,
    POSITIVE,
    PROXIES,
    RECIPIENTS,
    WAITS,
)

Nonsense = Mapping[str, Mapping[str, str]]

AT_ONCE = "--programme programme --wait 0"
TIPS = HASHES | {"all tips'": "", "a slip": "zz"}
BY_WORDS: Nonsense = {
    "source new --language={}": CHOICES,
    "source send --programme programme letter.txt --wait={}": WAITS,
    "source send --programme programme letter.txt --socks={}": PROXIES,
    f"source send {AT_ONCE} letter.txt --number={{}}": NUMBERS,
    f"source send {AT_ONCE} letter.txt --profile={{}}": CHOICES,
    f"source send {AT_ONCE} letter.txt --language={{}}": CHOICES | {"another": "french"},
    f"source send {AT_ONCE} --message={{}}": FILES | {"nothing": ""},
    f"source send {AT_ONCE} --prepared={{}}": PARTIES,
    f"source send {AT_ONCE} --prepared parcel --answers={{}}": {"what is sealed": "facts.json"},
    f"source send {AT_ONCE} letter.txt --answers={{}}": FILES | {"unasked": "facts.json"},
    f"source send {AT_ONCE} {{}}": FILES,
    f"source send {AT_ONCE}{{}}": {"no file": ""},
    "source send --wait 0 letter.txt --programme={}": PATHS,
    f"source reply {AT_ONCE} letter.txt --number={{}}": NUMBERS | {"never sent": "0"},
    f"source reply {AT_ONCE} --number 0 --message={{}}": FILES,
    "source reply --programme programme letter.txt --number 0 --socks={}": PROXIES,
    f"source status {AT_ONCE} --answer-days={{}}": POSITIVE,
    f"source status {AT_ONCE} --language={{}}": CHOICES | {"another": "japanese"},
    "source status --programme programme --socks={}": PROXIES,
    "source inbox --programme programme --wait={}": WAITS,
    "source inbox --programme programme --socks={}": PROXIES,
    "source inbox --programme={}": PATHS,
    f"source receipt {AT_ONCE} --out made --number={{}}": NUMBERS | {"never sent": "0"},
    "source receipt --programme programme --out made --socks={}": PROXIES,
    f"source restore {AT_ONCE} --mirror {{mirror}} --language={{}}": CHOICES,
    "source restore --programme programme --mirror {mirror} --socks={}": PROXIES,
    f"source gazette {AT_ONCE} --out={{}}": OUTPUTS,
    "source gazette --programme programme --out made --socks={}": PROXIES,
    "source gazette --wait 0 --out made --programme={}": PATHS,
    "source prepare --programme programme --number 0 letter.txt --out made --gazette={}": FILES
    | {"another file": "policy.txt"},
    "source prepare --programme programme --number 0 letter.txt --gazette saved --out={}": {
        **NEW_FOLDERS,
    },
    "source prepare --programme programme letter.txt --gazette saved --out made --number={}": (
        NUMBERS
    ),
    "source prepare --programme programme --number 0 --gazette saved --out made {}": FILES,
    "source prepare --programme programme --number 0 letter.txt --gazette saved --file={}": {
        **OUTPUTS,
        "a file": "policy.txt",
    },
    "source prepare --programme programme --number 0 letter.txt --gazette saved --file made "
    "--out made{}": {"both": ""},
    "source prepare --programme programme --number 0 letter.txt --gazette saved --out made "
    "--questions={}": FILES | {"no questions": "policy.txt"},
    "source prepare --programme programme --number 0 letter.txt --gazette saved --out made "
    "--answers={}": FILES | {"unasked": "facts.json"},
    f"source withdraw {AT_ONCE} --yes {{}}": NUMBERS | {"never sent": "0"},
    "source withdraw 0 --yes --wait 0 --programme={}": PATHS,
    "source withdraw 0 --yes --programme programme --socks={}": PROXIES,
    f"source verify-client {AT_ONCE} {{}}": FILES | {"another file": "policy.txt"},
    "source verify-client policy.txt --wait 0 --programme={}": PATHS,
    "source verify-client policy.txt --programme programme --socks={}": PROXIES,
    f"source credit {AT_ONCE} --number={{}}": NUMBERS | {"never sent": "0"},
    "source credit --programme programme --socks={}": PROXIES,
    f"source open {AT_ONCE} --purpose court --out made --yes --number={{}}": NUMBERS
    | {"never sent": "0"},
    f"source open {AT_ONCE} --number 0 --out made --yes --purpose={{}}": CHOICES,
    "source open --programme programme --number 0 --purpose court --out made --socks={}": (
        PROXIES
    ),
    f"source claim {AT_ONCE} --subject r-0001 --name x --letter-language={{}}": CHOICES,
    f"source claim {AT_ONCE} --subject r-0001 --name x --joint={{}}": {
        "nothing": "",
        "oneself": "r-0001",
        "no number": "Not A Number",
        "huge": "a" * 1_000,
    },
    f"source claim {AT_ONCE} --subject r-0001 --name x --number={{}}": NUMBERS
    | {"never sent": "0"},
    f"source claim {AT_ONCE} --subject r-0001 --name x --capture={{}}": PARTIES,
    f"source claim {AT_ONCE} --subject r-0001 --name x --opening {{}}": FILES | {"none": ""},
    f"source claim {AT_ONCE} --subject r-0001 --name x {{}}": {"files unasked": "letter.txt"},
    "source claim --programme programme --subject r-0001 --name x --socks={}": PROXIES,
    f"source appeal {AT_ONCE} --ground fact --reasons letter.txt --page={{}}": HASHES,
    f"source appeal {AT_ONCE} --page {{tip}} --reasons letter.txt --ground={{}}": CHOICES,
    f"source appeal {AT_ONCE} --page {{tip}} --ground fact --reasons={{}}": FILES,
    f"source appeal {AT_ONCE} --ground fact --page {{tip}} --reasons clerk.txt --number={{}}": (
        NUMBERS
    ),
}
"""With words that have sent nothing."""

_OPEN = f"source open {AT_ONCE} --number 0 --purpose court --yes"
BY_CLERK: Nonsense = {
    f"{_OPEN} --message clerk.txt --out made --item={{}}": POSITIVE | {"no such": "2"},
    f"{_OPEN} --out made --item={{}}": {"no files": "1"},
    f"{_OPEN} --out made --message={{}}": {"another letter": "policy.txt"},
    f"{_OPEN} --out made --message clerk.txt --files={{}}": FILES | {"more": "policy.txt"},
    f"source receipt {AT_ONCE} --out made --number={{}}": {"never sent": "7"},
    f"source receipt {AT_ONCE} --out={{}}": {"nowhere": OUTPUTS["nowhere"]},
    f"source reply {AT_ONCE} letter.txt --number={{}}": {"never sent": "7"},
    f"source withdraw {AT_ONCE} --yes {{}}": {"never sent": "7"},
    f"source credit {AT_ONCE} --number={{}}": {"never sent": "7"},
    f"source credit {AT_ONCE} --out={{}}": {"none came": "made"},
    f"source claim {AT_ONCE} --subject r-0001 --name x --number={{}}": {"never sent": "7"},
    f"source claim {AT_ONCE} --subject r-0001 --name x --credit{{}}": {"none came": ""},
    f"source claim {AT_ONCE} --subject r-0001 --name x --opening --message={{}}": {
        "another letter": "policy.txt"
    },
    f"source claim {AT_ONCE} --name x --subject={{}}": {
        each: NAMES[each] for each in ("nothing", "a blank", "a line feed", "not UTF-8", "huge")
    },
    f"source claim {AT_ONCE} --subject r-0001 --name={{}}": {
        each: NAMES[each] for each in ("nothing", "a line feed", "not UTF-8", "huge")
    },
    f"source appeal {AT_ONCE} --ground fact --reasons letter.txt --page={{}}": HASHES,
}
"""With the clerk's words, who has sent one letter that is in clerk.txt."""

NEXT = "--closes 2030-01-01T00:00:00Z"
SPLIT = "--threshold 2 --shares 3"
NETWORKED = "--on-a-networked-machine-anyway"
OF_DESK: Nonsense = {
    "desk new-epoch --dir desk --number 2 --opens 2027-01-01T00:00:00Z --closes={}": INSTANTS
    | {"before it opens": "2026-01-01T00:00:00Z"},
    f"desk new-epoch --dir desk --number 2 {NEXT} --opens={{}}": INSTANTS,
    f"desk new-epoch --dir desk --opens 2027-01-01T00:00:00Z {NEXT} --number={{}}": POSITIVE,
    "desk new-epoch --dir desk --number 2 --opens 2027-01-01T00:00:00Z "
    f"{NEXT} --previous={{}}": {
        each: value for each, value in HASHES.items() if each != "another's"
    },
    "desk rotate --dir desk --closes={}": INSTANTS | {"past": "2020-01-01T00:00:00Z"},
    f"desk rotate --dir desk {NEXT} --opens={{}}": INSTANTS
    | {"a gap": "2029-01-01T00:00:00Z", "as it closes": "2030-01-01T00:00:00Z"},
    f"desk rotate {NEXT} --dir={{}}": PARTIES,
    "desk epochs --dir={}": PARTIES,
    "desk retire --epoch 1 --dir={}": PARTIES,
    "desk retire --dir desk --epoch={}": POSITIVE | {"still open": "1", "never was": "2"},
    "desk retire --dir desk --without-archive --clear-opened --epoch={}": {"still open": "1"},
    "desk archive new --shares 3 --out made --threshold={}": POSITIVE
    | {"one alone": "1", "more than there are": "4"},
    "desk archive new --threshold 2 --out made --shares={}": POSITIVE | {"too many": "17"},
    f"desk archive new {SPLIT} --out={{}}": NEW_FOLDERS,
    f"desk archive new {SPLIT} --out made --dir={{}}": PARTIES,
    f"desk archive draft --dir desk {SPLIT} --recipient={{}}": RECIPIENTS,
    "desk archive draft --dir desk --shares 3 --recipient {archive} --threshold={}": POSITIVE,
    "desk archive draft --dir desk --threshold 2 --recipient {archive} --shares={}": POSITIVE,
    f"desk archive draft {SPLIT} --recipient {{archive}} --dir={{}}": PARTIES,
    f"desk archive check {NETWORKED} --recipient={{}}": RECIPIENTS
    | {"no share follows": "{archive}"},
    f"desk archive combine {NETWORKED} --out made --recipient={{}}": RECIPIENTS
    | {"no share follows": "{archive}"},
    f"desk archive combine {NETWORKED} --recipient {{archive}} --out={{}}": FOLDERS,
    "desk archive fill --dir={}": PARTIES,
    "desk archive give {tip} --out made --dir={}": PARTIES,
    "desk archive give --dir desk --out made {}": TIPS,
    "desk archive give {tip} --dir desk --out={}": FOLDERS | {"nowhere": OUTPUTS["nowhere"]},
    "desk export {tip} --dir desk --out made --to={}": RECIPIENTS,
    "desk export {tip} --to {archive} --out made --dir={}": PARTIES,
    "desk export --dir desk --to {archive} --out made {}": TIPS,
    "desk export {tip} --dir desk --to {archive} --out={}": FOLDERS
    | {"nowhere": OUTPUTS["nowhere"]},
    "desk export {tip} --dir desk --out made --passphrase{}": {"typed once": ""},
    "desk credit offer --dir desk {}": TIPS | {"worthless": "{rival}"},
    "desk credit offer {tip} --dir={}": PARTIES,
    "desk credit list --dir={}": PARTIES,
    "desk credit draft --dir desk --out made {}": TIPS | {"not asked for": "{tip}"},
    "desk credit draft {visitor} --dir desk --out={}": FOLDERS,
    "desk credit draft {visitor} --out made --dir={}": PARTIES,
    "desk credit issue {visitor} --dir desk --link={}": FILES,
    "desk credit issue {visitor} --dir desk --link board/decision-pilot --credit={}": FILES,
    "desk credit issue {visitor} --dir desk --link letter.txt --issuing-key={}": FILES,
    "desk credit issue --dir desk --link board/decision-pilot {}": TIPS,
    "desk credit issue {visitor} --link board/decision-pilot --dir={}": PARTIES,
    "desk credit count --dir={}": PARTIES,
    "desk credit count --dir desk --redeemed={}": NUMBERS,
    "desk credit count --dir desk --period={}": {
        each: NUMBERS[each] for each in ("no number",)
    },
    "desk credit count --dir desk --redeemed 0 --period={}": NUMBERS | {"none": "7"},
    "desk credit count --dir desk --redeemed 0 --class={}": CHOICES,
    "desk credit count --dir desk --redeemed 0 --statute={}": {
        each: value for each, value in HASHES.items() if value
    },
    "desk open {tip} --dir desk --purpose court --out made --item={}": POSITIVE
    | {"no such": "4"},
    "desk open {tip} --dir desk --out made --purpose={}": CHOICES,
    "desk open {tip} --dir desk --purpose court --out={}": NEW_FOLDERS,
    "desk open --dir desk --purpose court --out made {}": TIPS,
    "desk open {tip} --purpose court --out made --dir={}": PARTIES,
    "desk assessment {tip} --dir desk --out={}": NEW_FOLDERS,
    "desk assessment --dir desk --out made {}": TIPS | {"credited": "{visitor}"},
    "desk assessment {tip} --out made --dir={}": PARTIES,
    "desk pull --dir={}": PARTIES,
    "desk list --dir={}": PARTIES,
    "desk aside --dir desk {}": TIPS | {"none": "0", "too far": "999"},
    "desk aside --dir desk --back {}": TIPS,
    "desk aside {tip} --dir={}": PARTIES,
    "desk aside --dir desk {tip} {}": TIPS,  # all are found before any is moved
    "desk show --dir desk {}": TIPS,
    "desk assess --dir desk {}": TIPS,
    "desk grade {tip} --dir desk --assessor x --reasons y --credibility 2 --reliability={}": (
        CHOICES
    ),
    "desk grade {tip} --dir desk --assessor x --reasons y --reliability B --credibility={}": (
        CHOICES | {"none": "0", "too far": "7"}
    ),
    "desk grade --dir desk --assessor x --reasons y --reliability B --credibility 2 {}": TIPS,
    "desk reply {tip} --dir desk --text-file={}": FILES,
    "desk reply --dir desk --text-file letter.txt {}": TIPS,
    "desk keep-statement --dir desk --text-file={}": FILES,
    "desk serve --dir desk --listen={}": {"nothing": "", "beyond this machine": "0.0.0.0:0"},
}

_FOUND = "--gazette g --ledger l --server {vkey} --registry {vkey} --member {vkey} --out made"
OF_BOARD: Nonsense = {
    "board new --dir made --name={}": NAMES,
    "board new --name x --dir={}": FOLDERS,
    "board new --name x --dir board/member-1{}": {"again": ""},
    "board found --name x --gazette g --ledger l --registry {vkey} --member {vkey} "
    "--threshold 1 --out made --server={}": MEMBERS,
    "board found --name x --gazette g --ledger l --server {vkey} --registry {vkey} "
    "--threshold 1 --out made --member={}": MEMBERS,
    f"board found --name x {_FOUND} --threshold={{}}": POSITIVE | {"more than all": "2"},
    f"board found {_FOUND} --threshold 1 --name={{}}": {
        each: NAMES[each] for each in ("nothing", "a line feed", "not UTF-8", "huge")
    },
    "board found --name x --ledger l --server {vkey} --registry {vkey} --member {vkey} "
    "--threshold 1 --out made --gazette={}": {
        each: NAMES[each] for each in ("nothing", "a line feed", "not UTF-8", "huge")
    },
    "board statute --programme programme --out made --law={}": FILES,
    "board statute --law statutes/example/acquittal/statute.yaml --out made --programme={}": (
        PATHS
    ),
    "board sign --key board/member-1/key --out made {}": FILES,
    "board sign board/decision-pilot --out made --key={}": FILES | {"no key": "policy.txt"},
    "board show {}": FILES,
    "board notice --programme programme {}": FILES,
    "board notice board/decision-pilot --programme={}": PATHS,
    "board notice --programme programme board/{}": {"of the other log": "decision-pilot"},
    "board new-issuing-key --programme programme --class useful --period 1 --key made "
    "--statute-hash={}": HASHES | {"a law of plain credits": "{law}"},
    "board new-issuing-key --programme programme --statute-hash {law} --period 1 --key made "
    "--class={}": CHOICES,
    "board new-issuing-key --programme programme --statute-hash {law} --class useful "
    "--key made --period={}": POSITIVE,
    "board new-issuing-key --statute-hash {law} --class useful --period 1 --key made "
    "--programme={}": PATHS,
    "programme show --programme={}": PATHS,
    "programme destruction policy.txt --proof policy.txt --programme={}": PATHS,
    "programme destruction {} --proof policy.txt --programme programme": FILES,
    "programme client --platform linux --version 1 --programme programme {}": FILES,
    "programme client policy.txt --version 1 --programme programme --platform={}": PLATFORMS,
    "programme client policy.txt --platform linux --programme programme --version={}": NAMES,
    "programme client policy.txt --platform linux --version 1 --programme={}": PATHS,
    "statute lint {}": FILES,
    "statute test {}": FILES,
    "statute compile {}": FILES,
    "statute eval {} facts.json": FILES,
    "statute eval public/statutes/1.json {}": FILES,
    "statute eval public/statutes/1.json facts.json --as-of={}": INSTANTS,
}
OF_REGISTER: Nonsense = {
    "register cases --dir={}": PARTIES,
    "register serve --dir={}": PARTIES,
    "register serve --dir register --listen={}": LISTENS,
    "register show --dir register {}": TIPS | {"none": "0", "too far": "999"},
    "register enlist --dir register --out made {}": FILES | {"no person": "policy.txt"},
    "register propose --dir register --out made {}": TIPS | {"none": "0"},
    "register propose 1 --dir register --out made --judge={}": {
        "nothing": "",
        "no answer": "claimant_is_subject",
        "neither": "claimant_is_subject=perhaps",
        "no such question": "knowing_falsehood=yes",
        "not UTF-8": "\udcff=yes",
        "huge": "a" * 10_000 + "=yes",
    },
    "register propose 1 --dir register --out made --assessment={}": FILES,
    "register enter --dir register 1 {}": FILES | {"another case's": "board/decision-pilot"},
    "register enter --dir register {} board/decision-pilot": TIPS,
    "register finalise --dir register --out={}": FOLDERS,
    "register finalise --out made --dir={}": PARTIES,
    "register enter-publication --dir register {}": FILES,
    "register enter-publication --dir register board/decision-pilot --claim={}": TIPS
    | {"a decision": "1"},
    "register count --out made --dir={}": PARTIES,
    "register count --dir register --out={}": OUTPUTS,
    "register redemptions --dir={}": PARTIES,
    "register credit-count --dir register --class useful --period 1 --out made --issued={}": (
        NUMBERS
    ),
    "register credit-count --dir register --class useful --issued 1 --out made --period={}": (
        POSITIVE | {"never was": "9"}
    ),
    "register credit-count --dir register --period 1 --issued 1 --out made --class={}": CHOICES
    | {"not credited": "worthless"},
    "register credit-count --dir register --class useful --period 1 --issued 1 --out made "
    "--statute={}": NUMBERS | {"never was": "2"},
    "register credit-count --class useful --period 1 --issued 1 --out made --dir={}": PARTIES,
    "register credit-count --dir register --class useful --period 1 --issued 1 --out={}": (
        OUTPUTS
    ),
    "register publish --out made --dir={}": PARTIES,
    "register publish --dir register --out={}": FOLDERS
    | {"its own": "register", "no publication": "examples"},
}
_OF_DOOR: Nonsense = {
    "--listen nowhere --dir={}": PARTIES,
    "--dir door --listen={}": LISTENS,
    "--dir door --listen nowhere --staff={}": LISTENS | {"nothing": "", "the same": "nowhere"},
    "--dir door --listen nowhere --onion --onion-port={}": ONION_PORTS,
    "--dir door --listen nowhere --onion --torrc={}": FILES,
    "--dir door --listen nowhere --onion-port={}": {"without Tor": "81=127.0.0.1:1"},
    "new --dir={}": FOLDERS,
    "lint --dir={}": PATHS | {"a file": "policy.txt"},
    "preview --listen 127.0.0.1:x --dir={}": PATHS,
    "preview --dir folder --listen={}": LISTENS | {"every address": "0.0.0.0:1"},
    "notice --now --dir={}": PARTIES,
    "notice --dir door{}": {"not now": ""},
    "notice --now --dir door{}": {"to nobody": ""},
    "staff-key anna --dir={}": PARTIES,
    "staff-key --dir door {}": NAMES,
}
OF_DOOR: Nonsense = {
    f"{verb} {rest}": values for verb in ("door", "serve") for rest, values in _OF_DOOR.items()
}
BY_PUBLIC = "--policy policy.txt --gazette public"
OF_OTHERS: Nonsense = {
    f"opening verify {BY_PUBLIC} {{}}": PARTIES,
    "opening verify opening --policy policy.txt --gazette={}": PATHS
    | {"a file": "policy.txt", "no Gazette": "statutes"},
    "opening verify opening --gazette public --policy={}": FILES,
    "opening verify opening --gazette public{}": {"whose word counts": ""},
    "opening verify opening --programme={}": PATHS,
    "opening verify opening --policy policy.txt --programme={}": {"both": "programme"},
    f"opening verify opening {BY_PUBLIC} --payload={{}}": FILES | {"another": "policy.txt"},
    f"opening verify opening {BY_PUBLIC} --language={{}}": CHOICES,
    f"opening judge opening {BY_PUBLIC} --out made --to={{}}": RECIPIENTS,
    f"opening judge opening {BY_PUBLIC} --to {{archive}} --out={{}}": NEW_FOLDERS,
    f"opening judge --to {{archive}} --out made {BY_PUBLIC} {{}}": PARTIES,
    f"opening judge opening {BY_PUBLIC} --to {{archive}} --out made --payload={{}}": FILES
    | {"another": "policy.txt"},
    "press capture --dir press --programme programme {}": FILES
    | {"another scheme": "ftp://127.0.0.1/"},
    "press capture examples/press/deputy-denounces.html --dir press --programme={}": PATHS,
    "press log --dir press --programme={}": PATHS,
    "press show --dir press {}": {each: value for each, value in HASHES.items() if value},
    "receipt show {}": FILES,
    "receipt verify --record receipts/clerk.record --policy policy.txt {}": FILES,
    "receipt verify receipts/clerk.tlog-proof --policy policy.txt --record={}": FILES
    | {"another's": "receipts/late.record"},
    "receipt verify receipts/clerk.tlog-proof --record receipts/clerk.record "
    "--policy={}": FILES,
    "receipt verify receipts/clerk.tlog-proof --record receipts/clerk.record "
    "--policy policy.txt --before={}": INSTANTS | {"too early": "2020-01-01T00:00:00Z"},
    "audit --policy policy.txt {}": PATHS,
    "demo --once --dir={}": {"a file": "policy.txt", "another's": "public"},
}
