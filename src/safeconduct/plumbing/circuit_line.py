"""The line by which Tor says over which circuit a visitor of an onion service came.

    PROXY TCP6 fc00:dead:beef:4dad::<u16 hex>:<u16 hex> ::1 <port> <port> CR LF

It comes first on each connection. The two hexadecimal numbers are Tor's own count of circuits:
they say that two connections came the same way, and of the way itself nothing.

Spec: PROXY protocol version 1; tor(1), HiddenServiceExportCircuitID.
"""

import re

from safeconduct.errors import MalformedError

LINE_BYTES_MAX = 107
CIRCUIT_PREFIX = "fc00:dead:beef:4dad::"

_BEGIN = b"PROXY TCP6 " + CIRCUIT_PREFIX.encode()
_LINE = re.compile(
    re.escape(_BEGIN)
    + rb"(0|[1-9a-f][0-9a-f]{0,3}):(0|[1-9a-f][0-9a-f]{0,3}) ::1 ([0-9]{1,5}) ([0-9]{1,5})\r\n"
)


def split_circuit_line(received: bytes) -> tuple[str, bytes] | None:
    """The circuit's address and what follows its line; None while the line is not whole.

    Raises:
        MalformedError: this is not, or will never be, such a line.
    """
    if not received.startswith(_BEGIN[: len(received)]):
        raise MalformedError("no circuit is named")
    end = received.find(b"\n", 0, LINE_BYTES_MAX) + 1
    if not end and len(received) < LINE_BYTES_MAX:
        return None
    match = _LINE.fullmatch(received[:end])
    if match is None:
        raise MalformedError("the circuit's line is malformed")
    high, low, *_ = (part.decode() for part in match.groups())
    return f"{CIRCUIT_PREFIX}{high}:{low}", received[end:]
