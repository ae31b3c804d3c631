"""A programme in memory whose law grants credits, plain or blind, and one credited tip.

The key that issues blind credits is the one of RFC 9474's test vectors.
"""

import json
from functools import cache
from math import lcm
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.protocol.age.chance import dice
from tests.protocol.builders import (
    MEMBERS,
    NOON,
    PROGRAMME,
    by_board,
    epoch_act,
    founding,
    source_keys,
    sources,
    statute_act,
)
from tests.protocol.unheard import unheard

from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol import credit
from safeconduct.protocol.blind import EXPONENT, PublicKey, format_public_key, parse_public_key
from safeconduct.protocol.canonical import format_base64, format_json
from safeconduct.protocol.envelope import Envelope, seal_envelope
from safeconduct.protocol.gazette import CreditGroup, GazetteState, address_at, fold_all
from safeconduct.protocol.record import (
    Record,
    Value,
    format_record,
    make_record,
    record_hash,
    sign_record,
)

LAW_FILE = (
    Path(__file__).parents[2] / "statutes" / "example" / "credited-acquittal" / "statute.yaml"
)
VECTORS = Path(__file__).parent / "rfc9474"
CLASSES = ("corroborated", "useful")


def document(**credits: Any) -> Any:
    """The credited example statute, with these parts of its credits changed."""
    value: Any = unheard(parse_authored(LAW_FILE.read_bytes(), "statute"))
    value["credits"] |= credits
    return value


def credited_law(scheme: str = "plain", **credits: Any) -> bytes:
    """The credited example statute as it would be published."""
    crowd = {"minimum_issued": 20} if scheme == "blind" else {}
    return format_json(document(scheme=scheme, **crowd, **credits))


def changed(record: Record, /, **changes: Value) -> Record:
    """The record with these fields changed."""
    fields = {name.replace("-", "_"): value for name, value in record.values.items()}
    return make_record(record.kind, **fields | changes)


# The issuing key, and what its holder does with it.


@cache
def vector(name: str) -> dict[str, str]:
    fields: dict[str, str] = json.loads((VECTORS / f"{name}.json").read_text())
    return fields


@cache
def issuing_primes() -> tuple[int, int]:
    fields = vector("pss-randomized")
    return int(fields["p"], 16), int(fields["q"], 16)


def public_key(modulus: int) -> PublicKey:
    numbers = RSAPublicNumbers(e=EXPONENT, n=modulus)
    der = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return parse_public_key(format_base64(der))


@cache
def issuing_key(number: int = 0) -> PublicKey:
    """The vectors' key; other numbers give public keys for which nobody can sign."""
    p, q = issuing_primes()
    return public_key(p * q + 2 * number)


@cache
def issuing_pem() -> bytes:
    """The vectors' key as OpenSSL keeps it."""
    p, q = issuing_primes()
    d = pow(EXPONENT, -1, lcm(p - 1, q - 1))
    private = RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa_crt_dmp1(d, p),
        dmq1=rsa_crt_dmq1(d, q),
        iqmp=rsa_crt_iqmp(p, q),
        public_numbers=RSAPublicNumbers(e=EXPONENT, n=p * q),
    ).private_key()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def sign_blindly(block: bytes) -> bytes:
    """The raw private operation of the vectors' key, in no constant time at all."""
    p, q = issuing_primes()
    d, number = pow(EXPONENT, -1, lcm(p - 1, q - 1)), int.from_bytes(block, "big")
    at_p, at_q = pow(number, d % (p - 1), p), pow(number, d % (q - 1), q)
    return (at_q + q * ((at_p - at_q) * pow(q, -1, p) % p)).to_bytes(512, "big")


# The Gazette.


def group(scheme: str = "plain", word: str = "useful", period: int = 1) -> CreditGroup:
    statute = state(scheme).statutes[0].sha256
    return CreditGroup(statute=statute, word=word, period=period)


def issuing_key_act(state: GazetteState, **changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "statute": state.statutes[0].sha256,
        "class": "useful",
        "period": 1,
        "key": format_public_key(issuing_key()),
    }
    return make_record("issuing-key", **fields | changes)


def credit_count_act(state: GazetteState, **changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "statute": state.statutes[0].sha256,
        "class": "useful",
        "period": 1,
        "issued": 20,
        "redeemed": 0,
    }
    return make_record("credit-count", **fields | changes)


@cache
def entries(scheme: str = "plain") -> tuple[bytes, ...]:
    """Founding, statute, epoch; if credits are blind, the key for `useful` in period 1."""
    begun = (
        sign_record(founding(), MEMBERS),
        by_board(statute_act(law=credited_law(scheme))),
        by_board(epoch_act()),
    )
    if scheme != "blind":
        return begun
    return (*begun, by_board(issuing_key_act(fold_all(begun))))


@cache
def state(scheme: str = "plain") -> GazetteState:
    return fold_all(entries(scheme))


# The tip, and its credit.


@cache
def tip(scheme: str = "plain", number: int = 0) -> Envelope:
    address = address_at(state(scheme), NOON)
    return seal_envelope(sources(), address, source_keys(number), dice())


def tip_hash(scheme: str = "plain", number: int = 0) -> bytes:
    return record_hash(format_record(tip(scheme, number).record))


@cache
def request(scheme: str = "plain", number: int = 0) -> bytes:
    """The signed request of our contribution `number` for a `useful` credit of period 1."""
    return credit.make_request(
        source_keys(number),
        tip(scheme, number).pre,
        tip_hash(scheme, number),
        group(scheme),
        state(scheme),
    )


@cache
def opened_request(scheme: str = "plain", number: int = 0) -> credit.Request:
    return credit.open_request(
        request(scheme, number),
        tip(scheme, number).record,
        tip_hash(scheme, number),
        state(scheme),
    )


@cache
def blind_answer(number: int = 0) -> bytes:
    """The `blind-signature` record for our contribution `number`."""
    asked = opened_request("blind", number)
    return format_record(
        credit.blind_signature_record(asked, sign_blindly(asked.ask), state("blind"))
    )


@cache
def held(scheme: str = "plain", number: int = 0) -> bytes:
    """The credit of our contribution `number`: signed by two of the board, or a token."""
    if scheme == "blind":
        return credit.finish_blind(
            source_keys(number), group("blind"), blind_answer(number), state("blind")
        )
    return by_board(credit.requested_credit(opened_request("plain", number)))
