import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.witness.logs import log_key, log_listed, logs_of, parse_list
from safeconduct.parties.witness.store import Listed
from safeconduct.protocol.tlog.note import COSIGNATURE, MLDSA44, SigningKey, format_vkey

ONE = SigningKey(name="one.example/log", seed=b"1" * 32)
TWO = SigningKey(name="журнал.example/2", seed=b"2" * 32)
ONE_MLDSA44 = SigningKey(name=ONE.name, seed=b"3" * 32, algorithm=MLDSA44)
VKEY_ONE, VKEY_TWO, VKEY_MLDSA44 = (
    format_vkey(key.verifier()) for key in (ONE, TWO, ONE_MLDSA44)
)
WITNESS_VKEY = format_vkey(ONE.verifier(COSIGNATURE))

NETWORK_LIST = f"""\
#
# List: 10qps-4klogs
#
logs/v0

vkey {VKEY_ONE}
qpd 86400
contact keepers@one.example | https://one.example/about

# the second
vkey {VKEY_TWO}
origin {TWO.name}
qpd 24
contact the keepers (at) two.example
"""


def parsed(text: str) -> list[Listed]:
    logs, remarks = parse_list(text.encode())
    assert remarks == []
    return logs


def test_a_list_of_the_witness_network_is_read() -> None:
    assert parsed(NETWORK_LIST) == [
        Listed(origin=ONE.name, vkeys=(VKEY_ONE,), requests_per_day=86_400),
        Listed(origin=TWO.name, vkeys=(VKEY_TWO,), requests_per_day=24),
    ]


def test_a_plain_list_is_one_vkey_a_line() -> None:
    text = f"# ours\n\n{VKEY_ONE}\n{VKEY_TWO}\n{VKEY_MLDSA44}\n"
    assert parsed(text) == [
        Listed(origin=ONE.name, vkeys=(VKEY_ONE, VKEY_MLDSA44)),
        Listed(origin=TWO.name, vkeys=(VKEY_TWO,)),
    ]


def test_a_list_may_be_empty() -> None:
    assert parsed("") == parsed("logs/v0\n") == []


def test_an_origin_of_none_is_the_keys_name() -> None:
    text = f"logs/v0\nvkey {VKEY_ONE}\norigin none\nqpd 1\ncontact me\n"
    assert [log.origin for log in parsed(text)] == [ONE.name]


LEFT_OUT = {
    "a witness's key": (WITNESS_VKEY, "", "0x01 or 0x06"),
    "a key that is none": ("one.example+00000000+AAAA", "", "unknown type"),
    "a key of another name": (VKEY_ONE, "origin two.example\n", "another name"),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_a_log_that_cannot_be_served_does_not_keep_out_the_others(case: str) -> None:
    vkey, origin, reason = LEFT_OUT[case]
    bad = f"vkey {vkey}\n{origin}qpd 1\ncontact me\n"
    logs, [remark] = parse_list((NETWORK_LIST + bad).encode())
    assert [log.origin for log in logs] == [ONE.name, TWO.name]
    assert reason in remark
    assert remark.startswith("line 15: ")


BROKEN = {
    "no vkey first": f"logs/v0\nqpd 1\nvkey {VKEY_ONE}\ncontact me\n",
    "no qpd": f"logs/v0\nvkey {VKEY_ONE}\ncontact me\n",
    "a qpd of nothing": f"logs/v0\nvkey {VKEY_ONE}\nqpd 0\ncontact me\n",
    "a qpd with a sign": f"logs/v0\nvkey {VKEY_ONE}\nqpd +1\ncontact me\n",
    "no contact": f"logs/v0\nvkey {VKEY_ONE}\nqpd 1\n",
    "a contact without a word": f"logs/v0\nvkey {VKEY_ONE}\nqpd 1\ncontact \n",
    "an unknown line": f"logs/v0\nvkey {VKEY_ONE}\nqpd 1\nbastion none\ncontact me\n",
    "a carriage return": "logs/v0\r\n",
    "a byte-order mark": "\ufefflogs/v0\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_list_that_is_broken_is_refused_whole(case: str) -> None:
    with pytest.raises(MalformedError):
        parse_list(BROKEN[case].encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_malformed(data: bytes) -> None:
    try:
        parse_list(b"logs/v0\n" + data)
    except MalformedError:
        return


def test_keys_of_one_origin_are_keys_of_one_log() -> None:
    logs = logs_of(map(log_key, [VKEY_ONE, VKEY_TWO, VKEY_MLDSA44]))
    assert {origin: len(log.keys) for origin, log in logs.items()} == {ONE.name: 2, TWO.name: 1}


def test_a_log_of_a_list_has_its_keys_and_its_limit() -> None:
    log = log_listed(Listed(origin=ONE.name, vkeys=(VKEY_ONE,), requests_per_day=7))
    assert (log.keys, log.requests_per_day) == ((ONE.verifier(),), 7)


def test_a_witnesss_key_is_not_taken_for_a_logs() -> None:
    with pytest.raises(RefusedError, match="0x01 or 0x06"):
        log_key(WITNESS_VKEY)
