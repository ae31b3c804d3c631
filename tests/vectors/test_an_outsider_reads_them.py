"""The published files, read by somebody who has the specification and none of our code."""

import base64
import json
import re
import subprocess
import tarfile
from hashlib import sha384
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_der_public_key
from tests.system_tools import need_tool
from tests.vectors import outsider
from tests.vectors.outsider import FOLDER, H, K, document, fields, sha256, text, u32, u64


def named(folder: str) -> list[str]:
    return sorted(str(path.relative_to(FOLDER)) for path in (FOLDER / folder).iterdir())


SCHEDULES = named("valid/key-schedule")
RECORDS = named("valid/record")
CONTAINERS = named("valid/container")
ENVELOPES = named("valid/envelope")
CLAIMS = named("valid/claim")
CAPSULES = named("valid/capsule")
REPLIES = named("valid/reply")
MASTER = bytes.fromhex(document("valid/key-schedule/known-answers.json")["gives"]["master"])
SEED_0 = K(MASTER, "contribution", u32(0))
"""Of the contribution that capsules and replies are about."""


def test_the_outsider_has_none_of_our_code() -> None:
    for name in ("outsider.py", Path(__file__).name):
        lines = text(name).splitlines()
        imported = [line.split()[1] for line in lines if line.startswith(("import", "from"))]
        assert not [each for each in imported if each.startswith("safe" + "conduct")]


# Keys.


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_key_schedule_comes_out_the_same(name: str) -> None:
    table = document(name)
    assert outsider.schedule(table["given"]) == table["gives"]


KNOWN = {
    "salt": "63eda80c7b11cdb454a748a31da15b00",
    "master": "32d4d796f901f7c45d250a08cf864f67b4673c87ca8c7300ad94e7eac422dc3e",
    "seed_0": "ecc1dab7361793cfdf151d67c25b8d5f3f3f912e6d06f6e8b908e32c319df0b9",
    "pre": "bd3bd357a08c126bb24af0e6fde73444",
    "keycommit": "5f2b5df0be56f9364e8d171a7014508229c4627626876c53294f551851a7741c",
    "author": "33f81747036e6bd657de4d5f3c0d13b60009ffb86e7d3e5c4ce6d7468a36e9bb",
}


def test_the_known_answers_are_those_of_before_there_was_any_code() -> None:
    gives = document("valid/key-schedule/known-answers.json")["gives"]
    assert {name: gives[name] for name in KNOWN} == KNOWN


def test_the_specification_prints_the_same_known_answers() -> None:
    page = (FOLDER.parents[1] / "docs" / "3-protocol.md").read_text(encoding="utf-8")
    block = page.partition("Known answers, for entropy")[2].split("```")[1]
    printed = dict(re.findall(r"^([a-z_0-9 ]*[a-z0-9])  +([0-9a-f]{32,64})\b", block, re.M))
    gives = document("valid/key-schedule/known-answers.json")["gives"]
    gives |= {"file key": gives["file_key"], "tag 0": gives["reply_tags"][0]}
    assert len(printed) >= 12
    assert printed == {name: gives[name] for name in printed}


def test_each_size_is_padded_alike() -> None:
    table = document("valid/padding/sizes.json")
    assert list(map(outsider.padded, table["given"]["sizes"])) == table["gives"]["padded"]


@pytest.mark.parametrize("name", named("valid/member-header"))
def test_a_member_s_header_is_what_the_text_says(name: str) -> None:
    table = document(name)
    given, header = table["given"], bytes.fromhex(table["gives"]["header"])
    assert outsider.member_header(given["name"], given["size"]) == header
    assert tarfile.TarInfo.frombuf(header, "ascii", "strict").size == given["size"]


# Records, receipts, the Gazette.


def entries(name: str) -> list[str]:
    data, found = (FOLDER / name).read_bytes(), []
    while data:
        size = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + size].decode())
        data = data[2 + size :]
    return found


def keys_of_the_gazette() -> dict[str, str]:
    """Name of each key that the first three entries certify: the vkey."""
    founded, _, epoch = map(fields, entries("valid/gazette/plain-3.bundle"))
    listed = [*founded["members"].split(" "), founded["server"], founded["registry"]]
    return {vkey.split("+")[0]: vkey for vkey in [*listed, epoch["statement"]]}


def test_the_gazette_is_signed_by_its_board_from_the_first_entry_on() -> None:
    known = keys_of_the_gazette()
    founded, *later = entries("valid/gazette/plain-3.bundle")
    for vkey in fields(founded)["members"].split(" "):
        outsider.verify_vkey(founded, vkey)
    for entry in later:
        signers = [name for name, _ in outsider.signature_lines(entry)]
        assert len(signers) >= int(fields(founded)["threshold"])
        for name in signers:
            outsider.verify_vkey(entry, known[name])


@pytest.mark.parametrize("name", RECORDS)
def test_who_signs_a_record_is_in_the_gazette_or_in_the_record(name: str) -> None:
    record, known = text(name), keys_of_the_gazette()
    signers = [signer for signer, _ in outsider.signature_lines(record)]
    if signers == ["claimant", "claimant"]:
        outsider.verify_claimant(record)
    elif signers == ["claimant"]:
        public = b"\1" + bytes.fromhex(fields(record)["ed25519"])
        outsider.verify_vkey(record, f"claimant++{base64.b64encode(public).decode()}")
    else:
        for signer in signers:
            outsider.verify_vkey(record, known[signer])


def test_records_name_each_other_by_their_hashes() -> None:
    def record_hash(name: str) -> str:
        return H("record", (FOLDER / "valid/record" / name).read_bytes()).hex()

    tip = record_hash("contribution.record")
    for name in ("acknowledgement", "assessment", "delivery", "opening", "credit-offer"):
        assert fields(text(f"valid/record/{name}.record"))["record"] == tip
    told = fields(text("valid/record/contribution.record"))
    statute, epoch = (
        fields(text(f"valid/record/{name}.record")) for name in ("statute", "epoch")
    )
    assert told["statute"] == sha256(statute["law"].encode()).hex()
    assert told["certificate"] == record_hash("epoch.record")
    assert told["epoch"] == epoch["number"]
    decided = fields(text("valid/record/decision.record"))
    assert decided["claim"] == record_hash("claim-helped.record")
    appealed = fields(text("valid/record/appeal.record"))
    assert appealed["decision"] == record_hash("decision.record")


# Tips.


@pytest.mark.parametrize("name", CONTAINERS)
def test_stock_tar_reads_a_container_and_its_manifest_speaks_for_it(name: str) -> None:
    container = outsider.container(name)
    manifest_data, *contents = outsider.members(container).values()
    manifest = json.loads(manifest_data)
    listed = [(file["size"], file["sha256"]) for file in manifest["files"]]
    assert listed == [(len(each), sha256(each).hex()) for each in contents]
    blocks = 1 + -(-len(manifest_data) // 512) + sum(1 + -(-len(c) // 512) for c in contents)
    assert len(container) == outsider.padded(512 * (blocks + 2))
    assert not any(container[512 * blocks :])


def content(manifest: dict[str, Any]) -> bytes:
    return H(
        "content",
        *(
            outsider.item(
                place, bytes.fromhex(file["salt"]), bytes.fromhex(file["sha256"]), file["size"]
            )
            for place, file in enumerate(manifest["files"], start=1)
        ),
    )


@pytest.mark.parametrize("name", ENVELOPES)
def test_the_record_commits_to_key_content_and_author(name: str) -> None:
    envelope = document(name)
    told = fields(envelope["record"])
    nonce, file_key = (bytes.fromhex(envelope[each]) for each in ("nonce", "file_key"))
    container = outsider.container(envelope["container"])
    manifest = json.loads(outsider.members(container)["safeconduct.json"])
    assert told["keycommit"] == H("key-commit", nonce, file_key).hex()
    assert told["content"] == content(manifest).hex()
    for inside in ("author", "statute", "certificate", "programme"):
        assert told[inside] == manifest[inside]


@pytest.mark.parametrize("name", sorted(set(ENVELOPES) - {"valid/envelope/burned.json"}))
def test_the_words_give_key_and_nonce_of_an_envelope(name: str) -> None:
    """A burned one's were drawn by chance: no words give them."""
    envelope = document(name)
    container = outsider.container(envelope["container"])
    manifest_data = outsider.members(container)["safeconduct.json"]
    manifest = json.loads(manifest_data)
    seed = next(
        seed
        for seed in (K(MASTER, "contribution", u32(number)) for number in range(10))
        if K(seed, "reply-tag").hex() == manifest["tag_key"]
    )
    files = [(f["name"], f["size"], bytes.fromhex(f["sha256"])) for f in manifest["files"]]
    pre = outsider.pre(seed, files)
    nonce = outsider.hmac256(K(seed, "siv"), sha256(manifest_data))[:16]
    assert (manifest["pre"], envelope["nonce"]) == (pre.hex(), nonce.hex())
    assert envelope["file_key"] == K(seed, "file-key", nonce, 16).hex()
    assert manifest["author"] == outsider.author(seed, K(seed, "blind", pre, 16)).hex()
    assert fields(envelope["record"])["identity"] == K(seed, "identity").hex()


@pytest.mark.parametrize("name", ["classic", "hybrid"])
def test_what_travels_opens_with_the_desk_s_identity(name: str) -> None:
    envelope = document(f"valid/envelope/{name}.json")
    header, payload = outsider.split_age((FOLDER / f"envelopes/{name}.age").read_bytes())
    secrets = dict(
        zip(("classic", "hybrid"), text("keys/desk-1.identities").split(), strict=True)
    )
    file_key = outsider.unwrapped(header, outsider.bech32_data(secrets[name]))
    assert file_key.hex() == envelope["file_key"]
    assert header == base64.b64decode(envelope["header"])
    told = fields(envelope["record"])
    assert (told["payload"], told["size"]) == (sha256(payload).hex(), str(len(payload)))
    assert outsider.stream(file_key, payload) == outsider.container(envelope["container"])


def test_stock_age_and_tar_read_what_travels(tmp_path: Path) -> None:
    age, tar = need_tool("age", "age"), need_tool("tar", "tar")
    identity = tmp_path / "classic.identity"
    identity.write_text(text("keys/desk-1.identities").splitlines()[0] + "\n")
    opened = tmp_path / "tip.tar"
    sealed = FOLDER / "envelopes" / "classic.age"
    subprocess.run([age, "-d", "-i", identity, "-o", opened, sealed], check=True)
    assert opened.read_bytes() == outsider.container("valid/container/three-files.tar")
    listed = subprocess.run([tar, "-tf", opened], check=True, capture_output=True)
    assert listed.stdout.split() == [b"safeconduct.json", b"f0001", b"f0002", b"f0003"]


def test_a_classic_header_follows_from_file_key_and_recipient() -> None:
    envelope = document("valid/envelope/classic.json")
    header = base64.b64decode(envelope["header"])
    recipient = outsider.bech32_data(fields(text("valid/record/epoch.record"))["classic"])
    info = b"safeconduct/v1/age-x25519-eph"
    ephemeral = outsider.hkdf(bytes.fromhex(envelope["file_key"]), recipient, info)
    share = X25519PrivateKey.from_private_bytes(ephemeral).public_key().public_bytes_raw()
    assert outsider.unpadded(header.split()[3]) == share


def test_a_follow_up_names_its_forerunner_by_a_mac() -> None:
    earlier = document("valid/manifest/three-files.json")
    manifest = document("valid/manifest/follow-up.json")
    key = K(bytes.fromhex(earlier["tag_key"]), "follow")
    message = bytes.fromhex(manifest["author"] + manifest["pre"])
    assert manifest["follows"]["mac"] == outsider.hmac256(key, message).hex()
    record = (FOLDER / "valid/record/contribution.record").read_bytes()
    assert manifest["follows"]["record"] == H("record", record).hex()


# Capsules and replies.


@pytest.mark.parametrize("name", CAPSULES)
def test_the_words_open_a_capsule(name: str) -> None:
    capsule = (FOLDER / name).read_bytes()
    assert len(capsule) == 8192
    key = K(SEED_0, "capsule")
    framed = outsider.xchacha_open(key, capsule[:24], capsule[24:], b"safeconduct/v1/capsule")
    length = int.from_bytes(framed[:4], "big")
    held = json.loads(framed[4 : 4 + length])
    assert held.keys() == {"headers", "nonce", "pre", "proof", "record"}
    assert held["record"] == text("valid/record/contribution.record")
    assert not any(framed[4 + length :])


@pytest.mark.parametrize("name", REPLIES)
def test_the_words_open_a_reply(name: str) -> None:
    block, counter = (FOLDER / name).read_bytes(), u32(int(Path(name).stem.rpartition("-")[2]))
    tag_key = K(SEED_0, "reply-tag")
    assert len(block) == 16_400
    assert block[:16] == outsider.hmac256(K(tag_key, "tag"), counter)[:16]
    header, payload = outsider.split_age(block[16:])
    framed = outsider.stream(outsider.unwrapped(header, K(SEED_0, "reply")), payload)
    length = int.from_bytes(framed[:4], "big")
    body, mac = framed[4 : 4 + length], framed[4 + length : 36 + length]
    assert mac == outsider.hmac256(K(tag_key, "mac"), counter + sha256(body))
    assert json.loads(body).keys() == {"acknowledgement", "credit", "proof", "text"}
    assert not any(framed[36 + length :])


# Claims and openings.


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_binds_name_evidence_and_author(name: str) -> None:
    bundle = document(name)
    outsider.verify_claimant(bundle["claim"])
    told = fields(bundle["claim"])
    salt = bytes.fromhex(bundle["name_salt"])
    assert told["person"] == H("person", bundle["name"].encode(), salt).hex()
    unbound = {"assessment", "assessment_proof", "claim", "name", "name_salt"}
    shown = {key: value for key, value in sorted(bundle.items()) if key not in unbound}
    canonical = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    assert told["evidence"] == H("claim-evidence", canonical).hex()
    assert told["record"] == H("record", bundle["record"].encode()).hex()
    committed = fields(bundle["record"])
    commitment = {"helped": "author", "credited": "key"}.get(told[""].removeprefix("claim-"))
    if commitment:
        assert committed[commitment] == outsider.opened_author(bundle["claim"]).hex()


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_claim_shows_stands_in_the_ledger(name: str) -> None:
    bundle = document(name)
    proofs = {"record": "proof"} | {
        field: f"{field}_proof" for field in ("acknowledgement", "assessment")
    }
    for record, proof in proofs.items():
        if bundle.get(proof):
            entry = H("record", bundle[record].encode())
            found, root = outsider.root_by_proof(entry, bundle[proof])
            assert found == root


def test_an_opening_of_some_files_leads_to_the_record_s_content() -> None:
    opening = document("valid/opening/items.json")
    commitments = [
        bytes.fromhex(item["commitment"])
        if "commitment" in item
        else outsider.item(
            item["place"],
            bytes.fromhex(item["salt"]),
            bytes.fromhex(item["sha256"]),
            item["size"],
        )
        for item in opening["items"]
    ]
    assert fields(opening["record"])["content"] == H("content", *commitments).hex()
    outsider.verify_claimant(opening["opening"])
    told = fields(opening["opening"])
    assert (
        fields(opening["record"])["author"] == outsider.opened_author(opening["opening"]).hex()
    )
    shown = [u32(item["place"]) for item in opening["items"] if "salt" in item]
    assert told["items"] == H("opening-items", *shown).hex()


# Credits.


@pytest.mark.parametrize("scheme", ["plain", "blind"])
def test_the_words_give_a_credit_s_serial_key_and_nullifier(scheme: str) -> None:
    table = document(f"valid/credit-steps/{scheme}.json")
    given, gives = table["given"], table["gives"]
    group = H(
        "credit-group",
        bytes.fromhex(given["statute"]),
        given["class"].encode(),
        u64(given["period"]),
    )
    serial = K(bytes.fromhex(given["seed"]), "credit-serial", group, 16)
    redeeming = K(bytes.fromhex(given["seed"]), "redeem", serial)
    key = outsider.author(redeeming, K(redeeming, "blind", serial, 16))
    assert (gives["group_hash"], gives["serial"]) == (group.hex(), serial.hex())
    assert (gives["redemption_seed"], gives["key"]) == (redeeming.hex(), key.hex())
    assert gives["nullifier"] == H("nullifier", key).hex()
    asking = K(bytes.fromhex(given["seed"]), "credit-request", group)
    assert gives["request_root"] == asking.hex()
    request = text(f"valid/record/credit-request-{scheme}.record")
    assert gives["request_text_hash"] == H("record", outsider.signed_text(request)).hex()


def blind_table() -> tuple[dict[str, Any], dict[str, bytes]]:
    table = document("valid/credit-steps/blind.json")
    return table["given"], {name: bytes.fromhex(each) for name, each in table["gives"].items()}


def issuing_key() -> RSAPublicKey:
    given, _ = blind_table()
    key = load_der_public_key(bytes.fromhex(given["issuing_key"]))
    assert isinstance(key, RSAPublicKey)
    return key


def test_a_token_s_message_prefix_and_factor_come_from_the_words() -> None:
    given, gives = blind_table()
    context = sha256(bytes.fromhex(given["issuing_key"]))
    seed = gives["redemption_seed"]
    assert gives["prefix"] == K(seed, "credit-prefix", context, 32)
    assert gives["salt"] == K(seed, "credit-salt", context, 48)
    modulus = issuing_key().public_numbers().n
    chance = int.from_bytes(K(seed, "credit-factor", context, 528), "big")
    assert int.from_bytes(gives["factor"], "big") == 1 + chance % (modulus - 1)
    parts = (bytes.fromhex(given["programme"]), bytes.fromhex(given["statute"]))
    word, period = given["class"].encode(), u64(given["period"])
    assert gives["message"] == H("credit-token", *parts, word, period, gives["key"])


def test_blinding_and_taking_it_off_are_plain_arithmetic() -> None:
    _, gives = blind_table()
    numbers = issuing_key().public_numbers()
    assert (numbers.e, numbers.n.bit_length()) == (65_537, 4_096)
    encoded = emsa_pss(gives["prefix"] + gives["message"], gives["salt"])
    assert gives["encoded"] == encoded
    number = {name: int.from_bytes(each, "big") for name, each in gives.items()}
    blinded = number["encoded"] * pow(number["factor"], numbers.e, numbers.n) % numbers.n
    assert number["blinded"] == blinded
    assert pow(number["blind_signature"], numbers.e, numbers.n) == blinded
    signature = number["blind_signature"] * pow(number["factor"], -1, numbers.n) % numbers.n
    assert number["signature"] == signature


def emsa_pss(message: bytes, salt: bytes) -> bytes:
    """RFC 8017 §9.1.1 with SHA-384, for 4,095 bits."""
    digest = sha384(bytes(8) + sha384(message).digest() + salt).digest()
    block = bytes(512 - 48 - 1 - 1 - len(salt)) + b"\1" + salt
    mask = b"".join(sha384(digest + u32(n)).digest() for n in range(10))[: len(block)]
    masked = bytes(a ^ b for a, b in zip(block, mask, strict=True))
    return bytes([masked[0] & 0x7F]) + masked[1:] + digest + b"\xbc"


def test_a_token_is_a_stock_rsa_pss_signature() -> None:
    given, gives = blind_table()
    token = fields(text("valid/credit/token.record"))
    assert bytes.fromhex(token["key"]) == gives["key"]
    published = entries("valid/gazette/blind-4.bundle")[3]
    assert base64.b64decode(fields(published)["key"]).hex() == given["issuing_key"]
    padding = PSS(mgf=MGF1(SHA384()), salt_length=48)
    signature = base64.b64decode(token["signature"])
    message = bytes.fromhex(token["prefix"]) + gives["message"]
    issuing_key().verify(signature, message, padding, SHA384())
    with pytest.raises(InvalidSignature):
        issuing_key().verify(signature, message + b"\0", padding, SHA384())


# What is false is false to an outsider, too.


def test_false_claims_and_damaged_payloads_are_seen_from_outside() -> None:
    with pytest.raises(InvalidSignature):
        outsider.verify_claimant(document("unverified/claim/another-subject.json")["claim"])
    _, sealed = outsider.split_age((FOLDER / "envelopes/classic.age").read_bytes())
    envelope = document("valid/envelope/classic.json")
    with pytest.raises(InvalidTag):
        outsider.stream(bytes.fromhex(envelope["file_key"]), sealed[:-1] + b"\0")
    capsule = (FOLDER / "unverified/capsule/with-another-byte.capsule").read_bytes()
    key = K(SEED_0, "capsule")
    with pytest.raises(InvalidTag):
        outsider.xchacha_open(key, capsule[:24], capsule[24:], b"safeconduct/v1/capsule")
