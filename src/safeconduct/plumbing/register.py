"""The register's endpoints, as a claimant calls them; each may be called again.

The client calls them for its source, the door for whoever claims on its pages.
"""

from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.plumbing import fetch
from safeconduct.plumbing.circuits import DIRECT, Circuits
from safeconduct.protocol.canonical import Json, parse_hex, parse_json

PATIENCE_SECONDS = 40.0
ANSWER_BYTES_MAX = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A claim that was taken: the case's number, the claim's hash, and its page's key."""

    number: int
    claim: bytes
    page: bytes


class RegisterDoor:
    """The public register at one URL, by one run's circuits; without any, directly.

    A register that is away is asked again for `patience_seconds`, by default 40.
    """

    def __init__(
        self, url: str, circuits: Circuits = DIRECT, patience_seconds: float | None = None
    ) -> None:
        self._url = url
        self._circuit = circuits.of("register")
        self._patience = PATIENCE_SECONDS if patience_seconds is None else patience_seconds

    def challenge(self) -> tuple[str, bytes]:
        """The registry's name as audience, and 32 fresh bytes to sign in one claim."""
        value = _object(self._post("/challenge", b""), {"audience", "challenge"})
        return (
            _text(value, "audience"),
            parse_hex(_text(value, "challenge"), 32, "the register's challenge"),
        )

    def statute(self) -> bytes:
        """SHA-256 of the newest statute, for a claim that relies on no earlier one."""
        told = self._get(f"{self._url}/statute").decode("ascii", "replace").strip()
        return parse_hex(told, 32, "the register's statute")

    def file(self, bundle: bytes) -> Filed:
        """File a claim; the same one again finds the same case."""
        value = _object(self._post("/claims", bundle), {"case", "claim", "page"})
        number = value["case"]
        if not isinstance(number, int) or isinstance(number, bool):
            raise MalformedError("the register answered without a case number")
        return Filed(
            number=number,
            claim=parse_hex(_text(value, "claim"), 32, "the register's claim hash"),
            page=parse_hex(_text(value, "page"), 32, "the register's page"),
        )

    def appeal(self, claim: bytes, signed: bytes) -> None:
        """File an appeal in a case."""
        self._post(f"/appeals/{claim.hex()}", signed)

    def letter(self, page: bytes) -> str:
        """The letter with the decision and its reasons, once it is served."""
        return self._get(f"{self.page(page)}/letter.txt").decode("utf-8", "replace")

    def decision(self, page: bytes) -> bytes:
        """The board's signed decision, once it is served on the private page."""
        return self._get(f"{self.page(page)}/decision.record")

    def page(self, page: bytes) -> str:
        """The address of the claimant's own page; whoever knows it can read it."""
        return f"{self._url}/case/{page.hex()}"

    def _get(self, url: str) -> bytes:
        return fetch.patiently(
            lambda: fetch.get(url, bytes_max=ANSWER_BYTES_MAX, circuit=self._circuit),
            seconds=self._patience,
        )

    def _post(self, path: str, body: bytes) -> bytes:
        url = f"{self._url}{path}"

        def attempt() -> bytes:
            response = fetch.post(url, body, bytes_max=ANSWER_BYTES_MAX, circuit=self._circuit)
            fetch.raise_for(response)
            return response.body

        return fetch.patiently(attempt, seconds=self._patience)


def _object(data: bytes, fields: set[str]) -> dict[str, Json]:
    value = parse_json(data, "the register's answer")
    if not isinstance(value, dict) or value.keys() != fields:
        raise MalformedError(f"the register answered without {', '.join(sorted(fields))}")
    return value


def _text(value: dict[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"the register answered with a {name} that is no text")
    return text
