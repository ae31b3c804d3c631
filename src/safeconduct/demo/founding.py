"""Scene 1: a body founds a programme; logs, witnesses, door, desk and register start."""

from pathlib import Path

from safeconduct.demo.appealing import seat_panel
from safeconduct.demo.enlisting import PERSONS as PERSONS
from safeconduct.demo.enlisting import REPLY_SECONDS, tell_persons
from safeconduct.demo.showing import found_archive
from safeconduct.demo.stage import HOST, Stage, free_port
from safeconduct.demo.world import World, act, proof, shipped, tell
from safeconduct.parties.board.found import Founding, founding_record, statute_record
from safeconduct.parties.desk.epoch import new_epoch
from safeconduct.parties.log.config import (
    GAZETTE,
    LEDGER,
    PAD_DEFAULT,
    LogConfig,
    LogFolder,
    load_keys,
    new_log,
)
from safeconduct.plumbing import clock, terminal
from safeconduct.plumbing.authored import parse_authored
from safeconduct.plumbing.durable import make_folder, read_file, write_file
from safeconduct.plumbing.keys import load_signing_key, new_signing_key
from safeconduct.plumbing.logs import log_notice, read_gazette
from safeconduct.plumbing.programme import Programme, write_programme
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.record import NO_HASH
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.load import with_parameters, with_version
from safeconduct.protocol.tlog.note import COSIGNATURE, VerifierKey, format_vkey
from safeconduct.protocol.tlog.policy import parse_policy

NAME = "harbour-2027"
WITNESSES = {"north": "body-side", "south": "body-side", "east": "insider-side"}
PACE = ("--every", "0.5")  # seconds between batches; hours in earnest
APPEAL_SECONDS = 5
EPOCH_SECONDS = 28 * 86_400
LAW_BYTES_MAX = 1 << 20
# How long the law's date lies ahead: enough for everybody to be in time on this machine, which
# is measured by how long the founding took to be published.
WINDOW_SECONDS_MIN, WINDOW_SECONDS_MAX, WINDOW_FACTOR = 12, 60, 8


def found(folder: Path, stage: Stage) -> World:
    """Make all keys, start all servers, found the programme in the Gazette."""
    act(1, "A body founds a programme")
    world = World(
        folder=folder,
        stage=stage,
        programme=_make_programme(folder),
        board=[
            new_signing_key(folder / "board" / f"member-{i}" / "key", f"{NAME}/board/{i}")
            for i in (1, 2, 3)
        ],
    )
    _start_servers(world)
    tell("three witnesses, two logs, a door, a desk and a register run as separate processes")
    tell("witness policy: one of the body's two witnesses AND the insiders' own must cosign")
    proof("neither side can date anything alone, nor can the log")
    started = clock.monotonic()
    _found_in_gazette(world)
    tell("the founding record names a board of 3, of whom 2 must sign; all 3 signed it")
    proof("whoever changes the board later needs 2 of these very keys, in public")
    world.happened("board", "founds the programme")
    _publish_law(world, clock.monotonic() - started)
    return world


def _make_programme(folder: Path) -> Programme:
    ports = {name: free_port() for name in ("log", "door", "desk", "register", *WITNESSES)}
    urls = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
    logs = {kind: _found_log(folder / "log", kind) for kind in (GAZETTE, LEDGER)}
    policy = _policy(folder, logs, urls)
    programme = Programme(
        name=NAME,
        gazette=f"{urls['log']}/gazette",
        gazette_origin=f"{NAME}/gazette",
        ledger=f"{urls['log']}/ledger",
        ledger_origin=f"{NAME}/ledger",
        door=urls["door"],
        register=urls["register"],
        policy=parse_policy(policy),
        policy_text=policy,
    )
    for place in ("programme", "door", "desk", "register"):
        make_folder(folder / place)
        write_programme(folder / place, programme)
    write_file(folder / "policy.txt", policy)
    write_file(folder / "programme" / "desk.port", str(ports["desk"]).encode())
    return programme


def _found_log(folder: Path, kind: str) -> tuple[VerifierKey, ...]:
    """Found a log; its keys of both kinds, Ed25519 first."""
    pad = PAD_DEFAULT[kind]
    new_log(folder, LogConfig(name=kind, origin=f"{NAME}/{kind}", kind=kind, pad=pad))
    return load_keys(LogFolder(path=folder / kind)).verifiers


def _policy(
    folder: Path, logs: dict[str, tuple[VerifierKey, ...]], urls: dict[str, str]
) -> bytes:
    """A C2SP tlog-policy: two logs, three witnesses, one group per side, both must agree."""
    lines = [
        f"log {format_vkey(key)} {urls['log']}/{kind}"
        for kind, keys in logs.items()
        for key in keys
    ]
    for name in WITNESSES:
        key = new_signing_key(folder / "witness" / name / "key", f"{name}.example")
        lines.append(f"witness {name} {format_vkey(key.verifier(COSIGNATURE))} {urls[name]}")
    for side in ("body-side", "insider-side"):
        members = " ".join(name for name, of in WITNESSES.items() if of == side)
        lines.append(f"group {side} any {members}")
    lines += ["group both-sides all body-side insider-side", "quorum both-sides"]
    return ("\n".join(lines) + "\n").encode("ascii")


def _start_servers(world: World) -> None:
    for key_folder in ("door/server", "register/registry"):
        place, name = key_folder.split("/")
        new_signing_key(world.path(place, f"{name}.key"), f"{NAME}/{name}")
    logs = world.path("witness", "logs")
    vkeys = [format_vkey(line.key) for line in world.programme.policy.logs]
    write_file(logs, ("\n".join(vkeys) + "\n").encode("ascii"))
    for line in world.programme.policy.witnesses:
        assert line.url is not None
        own = str(world.path("witness", line.name))
        arguments = ["witness", "serve", "--dir", own, "--logs", str(logs)]
        _start(world, line.name, line.url, arguments)
    policy = str(world.path("policy.txt"))
    _start(
        world,
        "log",
        world.programme.ledger,
        ["log", "serve", "--dir", str(world.path("log")), "--policy", policy, *PACE],
    )
    _start(world, "door", world.programme.door, ["door", "--dir", str(world.path("door"))])
    desk = f"http://{HOST}:{world.path('programme', 'desk.port').read_text()}"
    _start(world, "desk", desk, ["desk", "serve", "--dir", str(world.path("desk"))])
    register = ["register", "serve", "--dir", str(world.path("register"))]
    _start(world, "register", world.programme.register, register)
    with terminal.waiting(f"starting {len(world.stage.names())} servers"):
        world.stage.wait_for(*world.stage.names())


def _start(world: World, name: str, url: str, arguments: list[str]) -> None:
    host_port = url.split("/")[2]
    port = int(host_port.rpartition(":")[2])
    world.stage.start(name, port, [*arguments, "--listen", host_port])


def _found_in_gazette(world: World) -> None:
    record = founding_record(
        Founding(
            name=NAME,
            founded=clock.seconds(),
            gazette_origin=world.programme.gazette_origin,
            ledger_origin=world.programme.ledger_origin,
            server=load_signing_key(world.path("door", "server.key")).verifier(),
            registry=load_signing_key(world.path("register", "registry.key")).verifier(),
            members=[member.verifier() for member in world.board],
            threshold=2,
        )
    )
    log_notice(world.programme, world.signed(record, signers=3))


def _publish_law(world: World, took_seconds: float) -> None:
    now = clock.seconds()
    epoch = new_epoch(
        world.path("desk"), world.programme.hash, 1, NO_HASH, now, now + EPOCH_SECONDS
    )
    log_notice(world.programme, world.signed(epoch))
    tell("the desk's post-quantum key for this month is certified in the Gazette")
    proof("no visitor can be given a key of their own, which would be a name tag")
    _publish_statute(world, took_seconds)
    seat_panel(world)
    tell_persons(world)
    found_archive(world)


def law_document(date: int, now: int) -> Json:
    """The example statute with credits, its date and periods set, as version 1.

    In a play of five people one credit is a crowd; in earnest the law asks for more.
    """
    path = shipped("statutes", "example", "credited-acquittal", "statute.yaml")
    document = parse_authored(read_file(path, bytes_max=LAW_BYTES_MAX), path.name)
    assert isinstance(document, dict)
    terms = document["credits"]
    assert isinstance(terms, dict)
    document["credits"] = terms | {"minimum_issued": 1}
    document = with_parameters(
        document,
        {
            "the_date": format_instant(date),
            "appeal_period": {"amount": APPEAL_SECONDS, "unit": "seconds"},
            "reply_period": {"amount": REPLY_SECONDS, "unit": "seconds"},
        },
    )
    stamp = format_instant(now)
    return with_version(
        document, number=1, published=stamp, in_force_from=stamp, supersedes=None
    )


def _publish_statute(world: World, took_seconds: float) -> None:
    window = max(
        WINDOW_SECONDS_MIN, min(WINDOW_SECONDS_MAX, round(WINDOW_FACTOR * took_seconds))
    )
    now = clock.seconds()
    world.date = now + window
    law = format_json(law_document(world.date, now))
    state = read_gazette(world.programme).state
    log_notice(world.programme, world.signed(statute_record(state, law)))
    tell("the statute is published: who helped or publicly denounced before the date,")
    tell(f"{format_instant(world.date)}, is acquitted from the register")
    proof("its text, rule and date are one document, hashed and signed; nobody moves it unseen")
    world.happened("board", "publishes the law")
