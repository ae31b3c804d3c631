"""npm's `age-encryption`: what one seals the other opens, the post-quantum files above all."""

import base64
from collections.abc import Callable

import pytest
from tests.interop.node_peer import NodePeer
from tests.protocol.age.chance import dice

from safeconduct.protocol import age

PASSPHRASE = "correct horse battery staple"
CLASSIC = age.x25519_identity(b"\x11" * 32)
HYBRID = age.hybrid_identity(b"\x22" * 32)
STRANGER = age.hybrid_identity(b"\x33" * 32)
CONTENTS = {
    "nothing": b"",
    "a line": b"They cut the brake line.\n",
    "one full chunk": dice(b"full")(1 << 16),
    "one byte more than a chunk": dice(b"more")((1 << 16) + 1),
    "several chunks": dice(b"several")(200_001),
}
KEYS: dict[str, age.SecretIdentity] = {"X25519": CLASSIC, "hybrid": HYBRID}
FORMS: dict[bool, Callable[[bytes], bytes]] = {
    False: lambda file: file,
    True: lambda file: b"".join(age.armored([file])),
}


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def ours(content: bytes, recipient: age.Recipient) -> bytes:
    return b"".join(age.seal([recipient], [content], dice()))


def read(file: bytes, identity: age.Identity, *, armor: bool) -> bytes:
    chunks = age.dearmored([file]) if armor else [file]
    return b"".join(age.open_([identity], chunks))


@pytest.mark.parametrize("armor", FORMS, ids=["binary", "armored"])
@pytest.mark.parametrize("kind", KEYS)
def test_node_opens_what_we_seal(node: NodePeer, kind: str, armor: bool) -> None:
    identity = KEYS[kind]
    questions = [
        {
            "do": "open",
            "identity": age.format_identity(identity),
            "armor": armor,
            "file": base64_text(FORMS[armor](ours(content, identity.recipient()))),
        }
        for content in CONTENTS.values()
    ]

    assert [one.data for one in node.ask(questions)] == list(CONTENTS.values())


@pytest.mark.parametrize("armor", FORMS, ids=["binary", "armored"])
@pytest.mark.parametrize("kind", KEYS)
def test_we_open_what_node_seals(node: NodePeer, kind: str, armor: bool) -> None:
    identity = KEYS[kind]
    questions = [
        {
            "do": "seal",
            "recipients": [age.format_recipient(identity.recipient())],
            "armor": armor,
            "content": base64_text(content),
        }
        for content in CONTENTS.values()
    ]

    files = [one.data for one in node.ask(questions)]

    read_here = [read(file, identity, armor=armor) for file in files]
    assert read_here == list(CONTENTS.values())


def test_a_passphrase_opens_both_ways(node: NodePeer) -> None:
    content = CONTENTS["several chunks"]
    recipient = age.ScryptRecipient(passphrase=PASSPHRASE, work_factor=4)
    theirs, opened = node.ask(
        [
            {"do": "seal", "passphrase": PASSPHRASE, "content": base64_text(content)},
            {
                "do": "open",
                "passphrase": PASSPHRASE,
                "file": base64_text(ours(content, recipient)),
            },
        ]
    )

    assert opened.data == content
    identity = age.ScryptIdentity(passphrase=PASSPHRASE)
    assert read(theirs.data, identity, armor=False) == content


def test_both_name_the_same_recipient_of_an_identity(node: NodePeer) -> None:
    questions = [
        {"do": "recipient", "identity": age.format_identity(identity)}
        for identity in KEYS.values()
    ]

    named = [one.ok for one in node.ask(questions)]

    assert named == [age.format_recipient(one.recipient()) for one in KEYS.values()]


def test_node_opens_a_payload_under_the_header_we_swapped(node: NodePeer) -> None:
    content = CONTENTS["several chunks"]
    file = ours(content, CLASSIC.recipient())
    header, offset = age.parse_header(file)
    swapped = age.swap_header(header, CLASSIC, HYBRID.recipient(), dice()) + file[offset:]

    [opened] = node.ask(
        [
            {
                "do": "open",
                "identity": age.format_identity(HYBRID),
                "file": base64_text(swapped),
            }
        ]
    )

    assert opened.data == content


def test_node_too_refuses_what_was_changed_or_is_not_for_it(node: NodePeer) -> None:
    file = ours(CONTENTS["several chunks"], HYBRID.recipient())
    changed = {
        "the last byte": file[:-1] + bytes([file[-1] ^ 1]),
        "cut within the payload": file[:-70_000],
        "the header's MAC": file.replace(b"\n--- ", b"\n--- A", 1),
    }
    questions = [
        {"do": "open", "identity": age.format_identity(HYBRID), "file": base64_text(one)}
        for one in changed.values()
    ]
    stranger = {
        "do": "open",
        "identity": age.format_identity(STRANGER),
        "file": base64_text(file),
    }

    assert all(one.error for one in node.ask([*questions, stranger]))
