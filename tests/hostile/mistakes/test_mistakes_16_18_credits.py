"""Attacks on a look into the mailbox, and on credits: mistakes 16 to 18, refused."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from tests.hostile.mistakes.hostile_bytes import changed, sha256
from tests.parties.source.network import PROGRAMME, Network
from tests.protocol import builders, credited
from tests.system_tools import need_tool

from safeconduct.errors import (
    MalformedError,
    UnverifiedError,
)
from safeconduct.parties.source import inbox
from safeconduct.plumbing import dice, fetch, openssl
from safeconduct.plumbing.circuits import PURPOSES, Circuit, draw_circuits
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol import blind
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.credit import (
    blind_signature_record,
    credit_message,
    finish_blind,
    open_credit,
    open_request,
)
from safeconduct.protocol.gazette import fold
from safeconduct.protocol.keys import contribution_keys, master_key, reply_tag
from safeconduct.protocol.record import (
    format_record,
    make_record,
    parse_record,
)
from safeconduct.protocol.reply import Reply

# Mistake 16.


@pytest.fixture(autouse=True)
def openssl_tool() -> str:
    """The path of the tool that these tests are about."""
    return need_tool("openssl", "openssl")


@dataclass
class Watcher:
    """Sees every request of a source, by which circuit it came, and what it asked for."""

    network: Network
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    by: list[tuple[str, Circuit | None]] = field(default_factory=list)

    def request(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        bytes_max: int,
        circuit: Circuit | None = None,
        **_: object,
    ) -> Response:
        self.seen.append((method, url, body))
        self.by.append((url.split("/")[3], circuit))
        return self.network.request(method, url, body, bytes_max=bytes_max)

    def pieces(
        self, url: str, *, bytes_max: int, circuit: Circuit | None = None, **_: object
    ) -> object:
        self.seen.append(("GET", url, b""))
        self.by.append((url.split("/")[3], circuit))
        return self.network.pieces(url, bytes_max=bytes_max)


@pytest.fixture
def watcher(network: Network, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    watching = Watcher(network)
    monkeypatch.setattr(fetch, "request", watching.request)
    monkeypatch.setattr(fetch, "pieces", watching.pieces)
    return watching


def test_a_look_into_the_mailbox_asks_for_nothing_that_is_somebodys(
    network: Network, watcher: Watcher
) -> None:
    """Mistake 16: whoever fetches three things in one session has said that they are one's own.

    Words with three answered tips, with none, and a decoy: to the byte the same requests.
    """
    for number in range(3):
        network.send({"message.txt": b"Number %d.\n" % number})
        network.post(Reply(text="Thank you."), number=number)
    asked = []
    for entropy in (builders.ENTROPY, bytes(16), bytes(range(16, 32))):
        watcher.seen.clear()
        assert len(inbox.read_inbox(PROGRAMME, entropy)) == 3 * (entropy == builders.ENTROPY)
        asked.append(list(watcher.seen))
    assert asked[0] == asked[1] == asked[2]
    said = repr(asked)
    for number in range(3):
        keys = contribution_keys(master_key(builders.ENTROPY, PROGRAMME.hash), number)
        names = (keys.slot(), reply_tag(keys.tag_key(), 0), keys.tag_key())
        assert not [name for name in names if name.hex() in said]


def test_what_is_fetched_for_one_thing_comes_by_another_circuit(
    network: Network, watcher: Watcher
) -> None:
    """Mistake 16: even without names, one circuit for all ties a look to a delivery."""
    network.send()
    watcher.by.clear()
    circuits = draw_circuits("127.0.0.1:9050", dice.random_bytes)
    inbox.read_inbox(PROGRAMME, builders.ENTROPY, circuits)
    used = {
        place: {circuit for at, circuit in watcher.by if at == place} for place, _ in watcher.by
    }
    assert used.keys() == {"gazette", "capsules", "bulletin"}
    assert all(len(each) == 1 and None not in each for each in used.values())
    assert len(set().union(*used.values())) == 3
    drawn = [circuits.of(purpose) for purpose in PURPOSES]
    assert len({(each.name, each.password) for each in drawn if each}) == len(PURPOSES)


# Mistake 17.


def test_a_second_issuing_key_for_one_holder_does_not_come_into_the_gazette() -> None:
    """Mistake 17: a key for each asker would name them when they claim."""
    state = credited.state("blind")
    act = credited.issuing_key_act(
        state, number=2, key=blind.format_public_key(credited.issuing_key(1))
    )
    with pytest.raises(MalformedError, match="the group has a key"):
        fold(state, builders.by_board(act))
    same = changed(credited.issuing_key_act(state), number=2, **{"class": "corroborated"})
    with pytest.raises(MalformedError, match="or the key a group"):
        fold(state, builders.by_board(same))


def test_what_a_personal_key_has_signed_is_no_credit_to_its_holder() -> None:
    """Mistake 17: the board signs with a key that it made for this one asker."""
    asked, state = credited.opened_request("blind"), credited.state("blind")
    personal = generate_private_key(blind.EXPONENT, blind.MODULUS_BITS).private_numbers()
    tagged = pow(int.from_bytes(asked.ask, "big"), personal.d, personal.public_numbers.n)
    signature = tagged.to_bytes(blind.SIGNATURE_BYTES, "big")
    answer = parse_record(credited.blind_answer())
    forged = changed(answer, signature=format_base64(signature))
    with pytest.raises((UnverifiedError, MalformedError)):
        finish_blind(
            builders.source_keys(), credited.group("blind"), format_record(forged), state
        )
    assert finish_blind(
        builders.source_keys(), credited.group("blind"), format_record(answer), state
    )


def test_the_class_that_a_holder_writes_into_the_message_counts_for_nothing() -> None:
    """Mistake 17: who signs does not see the message, so the asker promotes their own tip."""
    state, keys = credited.state("blind"), builders.source_keys()
    both = fold(
        state,
        builders.by_board(
            make_record(
                "issuing-key",
                programme=builders.PROGRAMME,
                number=2,
                statute=state.statutes[0].sha256,
                **{"class": "corroborated"},
                period=1,
                key=blind.format_public_key(credited.issuing_key(1)),
            )
        ),
    )
    better = credited.group("blind", "corroborated")
    key = keys.redemption(bytes(16)).author(bytes(16))
    message = credit_message(both.programme_hash, better, key)
    prefix, salt = bytes(32), bytes(48)
    asked = blind.blind(credited.issuing_key(), blind.prepare(message, prefix), salt, 2)
    signature = blind.finalize(
        credited.issuing_key(),
        blind.prepare(message, prefix),
        credited.sign_blindly(asked.message),
        asked.inverse,
    )
    for word in ("useful", "corroborated"):
        token = make_record(
            "credit-token",
            programme=builders.PROGRAMME,
            statute=better.statute,
            **{"class": word},
            period=1,
            key=key,
            prefix=prefix,
            signature=format_base64(signature),
        )
        with pytest.raises(UnverifiedError):
            open_credit(format_record(token), both)


# Mistake 18.

FAULTY = """\
#!/bin/sh
# A machine that makes one mistake: the last byte of what it signs.
if [ "$1" = pkeyutl ]; then
  "{openssl}" "$@" | head -c 511
  printf '\\001'
else
  exec "{openssl}" "$@"
fi
"""


def test_a_faulted_signature_never_leaves_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mistake 18: one wrong result beside its input is enough to compute the key."""
    true = shutil.which("openssl")
    assert true is not None
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "openssl"
    tool.write_text(FAULTY.format(openssl=true))
    tool.chmod(0o755)
    pem = tmp_path / "issuing.pem"
    pem.touch(mode=0o600)
    pem.write_bytes(credited.issuing_pem())
    block = credited.opened_request("blind").ask
    assert openssl.raw_private(pem, block) == credited.sign_blindly(block)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    with pytest.raises(UnverifiedError):
        openssl.raw_private(pem, block)


def test_a_faulted_signature_is_stopped_a_second_time_where_its_record_is_made() -> None:
    """Mistake 18: some other signer, such as a card, brings a result that nobody checked."""
    asked = credited.opened_request("blind")
    right = credited.sign_blindly(asked.ask)
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    assert blind_signature_record(asked, right, credited.state("blind"))
    with pytest.raises(UnverifiedError):
        blind_signature_record(asked, wrong, credited.state("blind"))


BLOCKS: dict[str, Callable[[], bytes]] = {
    "one": lambda: (1).to_bytes(512, "big"),
    "nothing": lambda: bytes(512),
    "minus one": lambda: (credited.issuing_key().modulus - 1).to_bytes(512, "big"),
    "more than the modulus": lambda: b"\xff" * 512,
    "a hash that something else would sign": lambda: sha256(b"pay 1,000,000"),
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_the_raw_operation_is_for_blinded_messages_alone(
    block: Callable[[], bytes], tmp_path: Path
) -> None:
    """Mistake 18: a raw signer is an oracle for whatever else its key is used for."""
    pem = tmp_path / "issuing.pem"
    pem.touch(mode=0o600)
    pem.write_bytes(credited.issuing_pem())
    with pytest.raises(MalformedError):
        openssl.raw_private(pem, block())


def test_an_issuing_key_signs_no_record() -> None:
    """Mistake 18: what is signed blindly could be any text, so no text may rest on that key."""
    token = blind.format_public_key(credited.issuing_key())
    for field_name in ("server", "registry"):
        fields = builders.founding().values
        text = format_record(builders.founding()).decode()
        line = next(row for row in text.splitlines() if row.startswith(f"{field_name} "))
        assert field_name in fields
        with pytest.raises(MalformedError):
            parse_record(text.replace(line, f"{field_name} {token}").encode())
    with pytest.raises(MalformedError):
        open_request(
            credited.blind_answer(),
            credited.tip("blind").record,
            credited.tip_hash("blind"),
            credited.state("blind"),
        )
