"""What a server answered, and the error that it answered with.

A party that answers with an error says `error: <message>` and names its family in a header, so
that the very error which was raised there is raised here.

Spec: docs/3-protocol.md §19.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)

_MESSAGE_CHARACTERS_MAX = 500

ERROR_FAMILY_HEADER = "x-error-family"
_FAMILIES: Mapping[str, type[SafeconductError]] = {
    "malformed": MalformedError,
    "unverified": UnverifiedError,
    "conflict": ConflictError,
    "refused": RefusedError,
    "unavailable": UnavailableError,
}
_FAMILY_OF_STATUS = {
    400: "malformed",
    403: "refused",
    404: "refused",
    405: "refused",
    408: "unavailable",
    409: "conflict",
    411: "malformed",
    413: "malformed",
    415: "malformed",
    422: "unverified",
    429: "unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a server answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def raise_for(response: Response) -> None:
    """Return if the status says success, else raise the error that the server raised.

    To be sent elsewhere is no success: what is at another address is not what was asked for.

    Raises:
        SafeconductError: its family, from the header or else from the status.
    """
    if 200 <= response.status < 300:
        return
    if response.status < 400:
        raise UnavailableError(
            f"the server answered {response.status}: it sends us to another address",
            hint="give the address itself",
        )
    family = response.headers.get(ERROR_FAMILY_HEADER, "")
    if family not in _FAMILIES:
        by_default = "unavailable" if response.status >= 500 else "malformed"
        family = _FAMILY_OF_STATUS.get(response.status, by_default)
    message, hint = _told(response)
    error = _FAMILIES[family](message, hint=hint)
    error.http_status = response.status
    raise error


def _told(response: Response) -> tuple[str, str]:
    """The message and the hint of an answer `error: …` LF `hint: …` LF, as far as it is one."""
    message, hint = f"the server answered {response.status}", ""
    for line in response.body.decode("utf-8", "replace").split("\n"):
        said = line[:_MESSAGE_CHARACTERS_MAX]
        if said.startswith("error: "):
            message = said.removeprefix("error: ")
        if said.startswith("hint: "):
            hint = said.removeprefix("hint: ")
    return message, hint
