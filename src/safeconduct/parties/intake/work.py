"""The door's counter for commits: 32 bytes in, a dated proof out, work welcome but never asked.

POST /commit   32 bytes; header `x-safeconduct-work` if the client likes → the tlog-proof
GET  /work     canonical JSON: the seed, how many bits are worth while now, the seconds to wait

Spec: docs/3-protocol.md §13 and §30.
"""

from functools import partial

from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.commits import LEAF_BYTES
from safeconduct.plumbing import web
from safeconduct.protocol.puzzle import (
    BITS_MAX,
    WORK_HEADER,
    Puzzle,
    check_work,
    format_puzzle,
    held_seeds,
)

BUSY_BITS = 16
"""What is worth while as soon as anybody waits here: a tenth of a second of work."""

SPENT_MAX = 65_536
_KEY_BYTES = 32
_PROOF_TYPE = "text/plain; charset=utf-8"


class Office:
    """Says how much work is worth while, and counts what is brought once only.

    Everything in it ends with the process, which costs nobody more than a place in the queue.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._key = intake.random_bytes(_KEY_BYTES)
        self._spent: dict[bytes, None] = {}

    def puzzle(self) -> Puzzle:
        """The work that is worth while now: none, unless who comes now must wait here."""
        commits = self._intake.commits
        trips = commits.trips
        bits = min(BUSY_BITS + trips.bit_length() - 1, BITS_MAX) if trips else 0
        return Puzzle(seed=self._seeds()[0], bits=bits, seconds=commits.seconds)

    def bits(self, header: str, subject: bytes) -> int:
        """The bits of work in a request's header, for its subject and for the first time.

        Raises:
            MalformedError: the header has another form.
        """
        if not header:
            return 0
        bits = check_work(header, self._seeds(), subject)
        if not bits or subject in self._spent:
            return 0
        if len(self._spent) >= SPENT_MAX:
            del self._spent[next(iter(self._spent))]
        self._spent[subject] = None
        return bits

    def _seeds(self) -> tuple[bytes, bytes]:
        return held_seeds(self._key, self._intake.seconds())


def routes(intake: Intake) -> list[web.Route]:
    """The routes of this module."""
    office = Office(intake)
    return [
        web.Route("POST", "/commit", partial(_commit, intake, office)),
        web.Route("GET", "/work", partial(_work, office)),
    ]


async def _commit(intake: Intake, office: Office, request: web.Request) -> web.Response:
    leaf = await web.read_body(request, bytes_max=LEAF_BYTES)
    bits = office.bits(request.headers.get(WORK_HEADER, ""), leaf)
    proof = await intake.commits.commit(leaf, flow=web.flow_of(request), work_bits=bits)
    return web.data(proof, _PROOF_TYPE)


async def _work(office: Office, _: web.Request) -> web.Response:
    return web.data(format_puzzle(office.puzzle()), "application/json")
