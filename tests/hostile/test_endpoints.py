"""Every endpoint of every server is given nonsense: one clear error, and nothing changes.

The tables below are complete: a test compares them with the routes that all sites declare.
"""

import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.hostile.asking import (
    FORM,
    NOT_UTF8,
    Ask,
    Asker,
    Scene,
    add_checkpoint,
    anything_but,
    form,
    gazette_entry,
    in_body,
    in_path,
    no_form,
    record,
    some_json,
    tip_hash,
)
from tests.hostile.asking_at_bodies import CONSOLE, REGISTER, TRIAL
from tests.hostile.asking_at_doors import DOOR, OTHER, STAFF
from tests.hostile.console import CONSOLE_KEEPS, ROOT
from tests.hostile.seating import ORIGIN, Seated
from tests.world import Played, files, ledger_entries, rows, tables

from safeconduct.demo.founding import NAME
from safeconduct.parties.board import console_site, statute_try
from safeconduct.parties.board.console_command import open_console
from safeconduct.parties.board.statute_files import read_law
from safeconduct.parties.desk import site as desk_site
from safeconduct.parties.desk.desk import open_desk
from safeconduct.parties.intake import site as door_site
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.command import STAFF as STAFF_ROUTES
from safeconduct.parties.intake.command import open_intake
from safeconduct.parties.log import site as log_site
from safeconduct.parties.log.site import ADD_ALL_MAX
from safeconduct.parties.mirror import site as mirror_site
from safeconduct.parties.mirror.follow import Health, Mirror
from safeconduct.parties.monitor import site as monitor_site
from safeconduct.parties.monitor.store import open_store
from safeconduct.parties.registry import site as register_site
from safeconduct.parties.registry.receive import open_registry
from safeconduct.parties.witness import site as witness_site
from safeconduct.parties.witness.cosign import Keys, Witness
from safeconduct.parties.witness.memory import load_keys, open_memory
from safeconduct.parties.witness.request import REQUEST_BYTES_MAX
from safeconduct.plumbing import web
from safeconduct.plumbing.statute_trial import Trial
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tlog.tile import ENTRY_BYTES_MAX

SECONDS = 60
NO_HEADERS: Mapping[str, str] = {}
TELLING = ("Traceback", "site-packages", "src/safeconduct", ".py", "sqlite", sys.prefix)
LEDGER = sha256(f"{NAME}/ledger".encode()).hexdigest()  # as witnesses and mirrors call it
LEAF = bytes(32)
CODE = form(code="0" * 32)
FORMS_SHOWN = ("/mail", "/sealed", "/tell/text", "/tell/files", "/tell/send")
LAW = "statutes/example/acquittal/statute.yaml"
VOTE = (("assessor", "third"), ("reliability", "Z"), ("credibility", "9"))

LOG: Mapping[str, Sequence[Asker]] = {
    "GET /": [anything_but("/ledger")],
    "POST /{name}/add": [
        in_body("/ledger/add", lambda _: LEAF, ENTRY_BYTES_MAX, some_json),
        in_body("/gazette/add", gazette_entry, ENTRY_BYTES_MAX, record),
        in_path("/{}/add", lambda _: "ledger", "gazette/../ledger"),
    ],
    "POST /{name}/add-all": [
        in_body("/ledger/add-all", lambda _: LEAF, ADD_ALL_MAX * len(LEAF), some_json),
        in_body("/gazette/add-all", lambda _: LEAF, ADD_ALL_MAX * len(LEAF), gazette_entry),
        in_path("/{}/add-all", lambda _: "ledger", "gazette"),
    ],
    "GET /{name}/proof": [
        in_path("/ledger/proof?index={}", lambda _: "x1", "-1"),
        in_path("/ledger/proof?entry-hash={}", tip_hash, OTHER),
    ],
    "GET /{name}/checkpoint": [in_path("/{}/checkpoint", lambda _: "ledger", "..")],
    "GET /{name}/tile/{rest:path}": [
        in_path("/ledger/{}", lambda _: "tile/0/000", "tile/9"),
        in_path("/ledger/tile/{}", tip_hash, "../../key"),
    ],
    "GET /{name}/health": [in_path("/{}/health", lambda _: "ledger", "..")],
}
WITNESS: Mapping[str, Sequence[Asker]] = {
    "GET /": [anything_but("/north")],
    "POST /add-checkpoint": [
        in_body("/add-checkpoint", add_checkpoint, REQUEST_BYTES_MAX, record)
    ],
    "GET /{origin_hash}/checkpoint": [
        in_path("/{}/checkpoint", tip_hash, "harbour"),
        in_path("/{}/checkpoint", lambda _: LEDGER, f"{NAME}/ledger"),
    ],
    "GET /{origin_hash}/forks": [
        in_path("/{}/forks", tip_hash, "harbour"),
        in_path("/{}/forks", lambda _: LEDGER, f"{NAME}/ledger"),
    ],
    "GET /{origin_hash}/forks/{name}": [
        in_path("/{}/forks/1.fork", lambda _: LEDGER, OTHER),
        in_path(f"/{LEDGER}/forks/{{}}", tip_hash, "../../witness.db"),
    ],
}
DESK: Mapping[str, Sequence[Asker]] = {
    "GET /style.css": [anything_but("/style.css")],
    "GET /enter": [anything_but("/enter")],
    "POST /enter": [in_body("/enter", CODE, desk_site.FORM_BYTES_MAX, form(word="x"), FORM)],
    "POST /leave": [no_form("/leave")],
    "POST /pull": [no_form("/pull")],
    "GET /": [anything_but()],
    "GET /tips/{hash}": [in_path("/tips/{}", tip_hash, OTHER)],
    "POST /tips/{hash}/votes": [no_form("/tips/{tip}/votes", *VOTE)],
    "POST /tips/{hash}/assess": [no_form(f"/tips/{OTHER}/assess", ("x", "y"))],
    "POST /tips/{hash}/replies": [no_form("/tips/{tip}/replies", ("text", "  "))],
    "GET /{rest:path}": [anything_but("/../console.code")],
}
MIRROR: Mapping[str, Sequence[Asker]] = {
    "GET /": [anything_but("/ledger")],
    "GET /capsules": [anything_but("/capsules")],
    "GET /health": [anything_but("/health")],
    "GET /{name}/checkpoint": [
        in_path("/{}/checkpoint", lambda _: "ledger", ".."),
        in_path("/{}/checkpoint", lambda _: LEDGER, OTHER),
    ],
    "GET /{name}/proof": [
        in_path("/{}/proof?index=0", lambda _: LEDGER, "ledger/../../key"),
        in_path("/ledger/proof?index={}", lambda _: "x1", "-1"),
        in_path(f"/{LEDGER}/proof?entry-hash={{}}", tip_hash, OTHER),
    ],
    "GET /{name}/tile/{rest:path}": [
        in_path("/ledger/{}", lambda _: "tile/0/000", "tile/9"),
        in_path("/ledger/tile/{}", tip_hash, "../../../key"),
    ],
}
MONITOR: Mapping[str, Sequence[Asker]] = {
    "GET /": [anything_but()],
    "GET /alerts": [anything_but("/alerts")],
    "GET /evidence/{name}": [in_path("/evidence/{}", tip_hash, "../monitor.db")],
    "GET /metrics": [anything_but("/metrics")],
    "GET /health": [anything_but("/health")],
    "GET /style.css": [anything_but("/style.css")],
}
SITES = {
    "log": LOG,
    "north": WITNESS,
    "door": DOOR,
    "staff": STAFF,
    "desk": DESK,
    "register": REGISTER,
    "mirror": MIRROR,
    "monitor": MONITOR,
    "console": CONSOLE,
    "trial": TRIAL,
}
BESIDE = ("staff", "console", "trial")  # served by these tests themselves
CASES = [
    pytest.param(server, route, asker, id=f"{server} {route} {number}")
    for server, site in SITES.items()
    for route, askers in site.items()
    for number, asker in enumerate(askers, start=1)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The sites that the play has not, by name: where each is, and what folder it keeps."""

    urls: Mapping[str, str]
    folders: Mapping[str, Path]


@pytest.fixture(scope="module")
def browser(played: Played) -> Iterator[httpx.Client]:
    """A browser that is signed in at the desk's console."""
    code = (played.folder / "desk" / "console.code").read_text().strip()
    with httpx.Client(timeout=SECONDS, trust_env=False) as client:
        entered = client.post(f"{played.url('desk')}/enter", data={"code": code})
        assert entered.status_code == 303
        yield client


@pytest.fixture(scope="module")
def scene(played: Played, browser: httpx.Client, seated: Seated) -> Scene:
    page = browser.get(played.url("desk")).text
    found = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert found is not None
    words = httpx.get(f"{played.url('door')}/en/tell", timeout=SECONDS, trust_env=False).text
    ticket = re.search(r'name="ticket" value="([^"]+)"', words)
    assert ticket is not None
    return Scene(played=played, seated=seated, token=found[1], ticket=unescape(ticket[1]))


def copied_door(played: Played, folder: Path) -> Intake:
    """A door like the play's, which alone may open its own folder while it runs."""
    for name in ("programme.toml", "policy.txt", "server.key"):
        shutil.copy(played.folder / "door" / name, folder)
    return open_intake(folder)


def staff_routes(intake: Intake) -> list[web.Route]:
    return [route for routes_of in STAFF_ROUTES for route in routes_of(intake)]


@pytest.fixture(scope="module")
def beside(
    played: Played, seated: Seated, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Beside]:
    """The site for a door's staff, of one like the play's; the console; and a law's trial."""
    folder = tmp_path_factory.mktemp("staff")
    staff = web.make_app(staff_routes(copied_door(played, folder)))
    trial = statute_try.make_site(trial_of())
    with web.running(staff) as staff_url, web.running(trial) as trial_url:
        yield Beside(
            urls={"staff": staff_url, "console": seated.url, "trial": trial_url},
            folders={"staff": folder, "console": played.folder / "console", "trial": folder},
        )


def trial_of() -> Trial:
    """A law to be tried out."""
    statute = read_law(ROOT / LAW).statute
    return Trial(statute=statute, language="en", as_of=statute.version.in_force_from)


def declared(
    played: Played, monkeypatch: pytest.MonkeyPatch, own: Path
) -> dict[str, list[web.Route]]:
    """The routes of each server's site, as it hands them to the web."""
    gathered: list[web.Route] = []

    def gather(routes: Sequence[web.Route], **_: Any) -> list[web.Route]:
        gathered[:] = routes
        return gathered

    monkeypatch.setattr(web, "make_app", gather)
    folder = played.folder
    north = folder / "witness" / "north"
    witness = Witness(keys=Keys(own=load_keys(north), logs={}), memory=open_memory(north))
    door = copied_door(played, own)
    board = open_console(own / "console", played.programme, ORIGIN)
    # The running mirror alone may open its folder; its routes are the same without copies.
    mirror = Mirror(copies=(), shelf=None, door="", own_keys=(), health=Health())
    made: dict[str, Callable[[], object]] = {
        "log": lambda: log_site.make_site([]),
        "north": lambda: witness_site.make_site(witness),
        "door": lambda: door_site.make_site(door),
        "staff": lambda: web.make_app(staff_routes(door)),
        "desk": lambda: desk_site.make_site(open_desk(folder / "desk"), "code"),
        "register": lambda: register_site.make_site(open_registry(folder / "register")),
        "mirror": lambda: mirror_site.make_site(mirror),
        "monitor": lambda: monitor_site.make_site(open_store(folder / "monitor")),
        "console": lambda: console_site.make_site(board),
        "trial": lambda: statute_try.make_site(trial_of()),
    }
    assert made.keys() == SITES.keys()
    routes = {}
    for name, make in made.items():
        make()
        routes[name] = list(gathered)
    board.store.close()
    return routes


def test_the_tables_name_every_route_of_every_site(
    played: Played, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for server, routes in declared(played, monkeypatch, tmp_path).items():
        assert {f"{route.method} {route.path}" for route in routes} == set(SITES[server])


@pytest.mark.parametrize(("server", "route", "asker"), CASES)
def test_nonsense_gets_one_clear_error_and_changes_nothing(
    scene: Scene,
    browser: httpx.Client,
    beside: Beside,
    server: str,
    route: str,
    asker: Asker,
) -> None:
    method = route.partition(" ")[0]
    url = beside.urls[server] if server in BESIDE else scene.played.url(server)
    folder = beside.folders[server] if server in BESIDE else scene.played.folder
    own = scene.seated.headers if server == "console" else {}
    before = held(folder, server)
    first = len(ledger_entries(scene.played.programme))
    bodies = set()
    for kind, ask in asker(scene).items():
        answer = send(browser, method, url, ask, own)
        complaint = wrong_with(answer, scene.played.folder, ask.shown)
        assert not complaint, f"{kind}: {answer.status_code} {complaint}\n{answer.text[:500]}"
        bodies |= {ask.body, record_hash(ask.body)}
    assert held(folder, server) == before
    assert not bodies.intersection(ledger_entries(scene.played.programme)[first:])


def send(
    client: httpx.Client, method: str, url: str, ask: Ask, own: Mapping[str, str] = NO_HEADERS
) -> httpx.Response:
    """One request; `own` is what this browser says with each of them."""
    headers = {"connection": "close", **own, **ask.headers}
    return client.request(method, url + ask.path, content=ask.body, headers=headers)


def wrong_with(answer: httpx.Response, folder: Path, shown: int = 0) -> str:
    """What is not as an error should be; nothing if all is well."""
    if answer.status_code != shown and not 400 <= answer.status_code < 500:
        return "not the asker's fault"
    for telling in (*TELLING, str(folder)):
        if telling in answer.text:
            return f"tells {telling}"
    if answer.headers["content-type"].startswith("text/html"):
        return "" if answer.text.count("<h1") == 1 else "no page"
    lines = answer.text.splitlines()
    hinted = [line.partition(":")[0] for line in lines[1:]]
    clear = lines and re.match(r"error: \S", lines[0]) and hinted in ([], ["hint"])
    return "" if clear else "not one clear error"


def held(folder: Path, server: str) -> object:
    """What a server keeps, but for what grows by itself: the padded Ledger, its followers."""
    if server == "log":
        gazette = folder / "log" / "gazette"
        [signed] = rows(gazette / "signed.db", "signed")
        return signed[1:3], files(gazette / "public" / "tile")
    if server == "north":
        memory = folder / "witness" / "north" / "witness.db"
        return [rows(memory, name) for name in ("forks", "unexplained", "listed")]
    if server == "mirror":
        kept = files(folder / "mirror").items()
        grows = ("ledger/", "gazette/public/checkpoint")  # an idle log's is dated anew
        still = {name: facts for name, facts in kept if not name.startswith(grows)}
        return still, rows(folder / "mirror" / "gazette" / "index.db", "leaves")
    if server == "monitor":
        return tables(folder / "monitor" / "monitor.db"), files(folder / "monitor")
    if server == "trial":
        return files(folder)
    if server == "console":
        return [rows(folder / "console.sqlite", name) for name in CONSOLE_KEEPS], files(folder)
    if server == "staff":
        return tables(folder / "door.sqlite"), tables(folder / "days.sqlite"), files(folder)
    database = {"desk": "desk.sqlite", "door": "door.sqlite", "register": "registry.sqlite"}
    return tables(folder / server / database[server]), files(folder / server)


BROKEN_OFF = ("/deliver", "/withdraw", "/commit", *(f"/en{path}" for path in FORMS_SHOWN))


@pytest.mark.parametrize("path", BROKEN_OFF)
def test_a_request_that_is_broken_off_changes_nothing(played: Played, path: str) -> None:
    before = held(played.folder, "door")
    address = urlsplit(played.url("door"))
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80)) as line:
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n".encode())
        line.sendall(b"words=")
    assert httpx.get(f"{played.url('door')}/health", trust_env=False).text == "ok"
    assert held(played.folder, "door") == before


NOT_HTTP = {
    "no HTTP at all": b"\x16\x03\x01" + NOT_UTF8 + b"\r\n\r\n",
    "a head that is too long": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /mail HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nab",
    "a length that is none": b"POST /mail HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
}


@pytest.mark.parametrize("server", [name for name in SITES if name not in BESIDE])
@pytest.mark.parametrize("said", list(NOT_HTTP.values()), ids=list(NOT_HTTP))
def test_what_is_not_http_is_refused_and_the_server_goes_on(
    played: Played, server: str, said: bytes
) -> None:
    address = urlsplit(played.url(server))
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80), SECONDS) as line:
        line.sendall(said)
        answer = line.recv(4_096)
    assert answer.startswith(b"HTTP/1.1 4")
    stage = played.stage_of(server)
    starts = stage.starts(server)
    stage.wait_for(server)
    assert stage.starts(server) == starts


def test_the_desk_does_nothing_for_somebody_who_is_not_signed_in(
    played: Played, scene: Scene
) -> None:
    before = held(played.folder, "desk")
    with httpx.Client(timeout=SECONDS, trust_env=False) as stranger:
        for name in ("votes", "assess", "replies"):
            ask = Ask(path=f"/tips/{scene.tip}/{name}", headers={"content-type": FORM})
            answer = send(stranger, "POST", played.url("desk"), ask)
            assert answer.status_code == 403
            assert not wrong_with(answer, played.folder)
    assert held(played.folder, "desk") == before


def test_no_server_noticed_a_fault_of_its_own(played: Played) -> None:
    for server, told in played.diagnostics().items():
        assert "internal fault" not in told, server
        assert "Traceback" not in told, server
