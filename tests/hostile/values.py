"""What is given to verbs in the place of an argument, by what is wrong with it."""

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
MEMBERS = {each: value for each, value in KEYS.items() if each != "a witness's key"}
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
FILES = PATHS | {"a folder": "folder"}  # to be read
PARTIES = PATHS | {"a file": "policy.txt", "another's": "public"}
FOLDERS = {"huge": PATHS["huge"], "a file": "policy.txt"}  # to be made
NEW_FOLDERS = FOLDERS | {"another's": "public"}
OUTPUTS = {"nowhere": "nothing/at/all", "huge": PATHS["huge"], "a folder": "folder"}
PACES = {
    "never": "0",
    "backwards": "-1",
    "no number": "x",
    "not a number": "nan",
    "for ever": "inf",
    "huge": "1" + "0" * 400,
}
COUNTS = {each: PACES[each] for each in ("backwards", "no number", "not a number")}
NUMBERS = COUNTS | {"nothing": "", "huge": PACES["huge"], "too long": "9" * 5_000}
POSITIVE = NUMBERS | {"none": "0"}
WAITS = NUMBERS | {"a day and a second": "86401"}
INSTANTS = {
    "nothing": "",
    "no instant": "soon",
    "no time": "2030-01-01",
    "no such day": "2030-02-30T00:00:00Z",
    "not UTF-8": "2030\udcff",
    "huge": "9" * 10_000,
}
HASHES = {
    "nothing": "",
    "no hash": "nonsense",
    "another's": "ab" * 32,
    "half a hash": "ab" * 31,
    "too much": "ab" * 33,
    "capitals": "AB" * 32,
    "not UTF-8": "ab\udcff",
    "huge": "a" * 100_000,
}
RECIPIENTS = {
    "nothing": "",
    "no recipient": "nonsense",
    "half of one": "age1",
    "a slip": "age1yhqldup3zfqwpqm4rnyw9cwmkdxqrklthc6r4kjvjn2v7vjmsuvs0c3rpc",
    "a secret key": "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
    "not ASCII": "age1ü",
    "not UTF-8": "age1\udcff",
    "huge": "age1" + "q" * 100_000,
}
CHOICES = {"nothing": "", "unknown": "klingon", "not UTF-8": "\udcff", "huge": "a" * 10_000}
LISTENS = {"nothing": "", "no port": "127.0.0.1", "no number": "127.0.0.1:x"}
PROXIES = {
    "nothing": "",
    "no port": "127.0.0.1",
    "no host": ":9050",
    "no number": "127.0.0.1:x",
    "a port beyond all": "127.0.0.1:99999",
    "nobody there": "127.0.0.1:1",
    "a name that nobody has": "tor.invalid:9050",
    "an address": "socks5://127.0.0.1:9050",
    "an order to the terminal": "\x1b[2J:9050",
    "not UTF-8": "\udcff:9050",
    "huge": "a" * 70_000 + ":9050",
}
PLATFORMS = {
    "nothing": "",
    "a path": "../linux",
    "a capital": "Linux",
    "a blank": "linux x86",
    "a line feed": "linux\n",
    "not UTF-8": "linux\udcff",
    "huge": "l" * 10_000,
}
ONION_PORTS = {
    "nothing": "",
    "no port": "=127.0.0.1:1",
    "no target": "81",
    "the door's own": "80=127.0.0.1:1",
    "no number": "x=127.0.0.1:1",
    "a port beyond all": "99999=127.0.0.1:1",
    "a line of Tor's": "81=127.0.0.1:1\nSocksPort 9",
    "not UTF-8": "81=\udcff:1",
    "huge": "8" * 5_000 + "=127.0.0.1:1",
}
