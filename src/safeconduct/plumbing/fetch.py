"""HTTP out: the one door to httpx. Bounded in bytes and seconds, no redirects, no proxies.

A party that answers with an error says `error: <message>` and names its family in a header, so
that the very error which was raised there is raised here.
"""

import atexit
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar

import httpx

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
WHOLE_SECONDS = 300.0
# Shorter than any server's patience, so that we never write into a closing connection.
_IDLE_SECONDS = 2.0
_CONNECTIONS_MAX = 32
_BACK_OFF_FIRST_SECONDS = 0.05
_BACK_OFF_LAST_SECONDS = 1.0
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

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a server answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def get(url: str, *, bytes_max: int, headers: Mapping[str, str] | None = None) -> bytes:
    """The body of a successful GET.

    Raises:
        SafeconductError: the family that the server's error belongs to; `UnavailableError` if
            it cannot be reached, `MalformedError` if it sends more than `bytes_max` bytes.
    """
    response = request("GET", url, bytes_max=bytes_max, headers=headers)
    raise_for(response)
    return response.body


def post(
    url: str,
    body: bytes,
    *,
    bytes_max: int,
    content_type: str = "application/octet-stream",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a POST of `body`, whatever its status."""
    sent = {"content-type": content_type, **(headers or {})}
    return request("POST", url, body, bytes_max=bytes_max, headers=sent)


def put(
    url: str, body: bytes, *, bytes_max: int, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a PUT of `body`, whatever its status."""
    return request("PUT", url, body, bytes_max=bytes_max, headers=headers)


def patch(
    url: str, body: bytes, *, bytes_max: int, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a PATCH of `body`, whatever its status."""
    return request("PATCH", url, body, bytes_max=bytes_max, headers=headers)


def head(url: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """The status and headers of a HEAD, whatever its status."""
    return request("HEAD", url, bytes_max=0, headers=headers)


def request(
    method: str,
    url: str,
    body: bytes = b"",
    *,
    bytes_max: int,
    headers: Mapping[str, str] | None = None,
    seconds: float = WHOLE_SECONDS,
) -> Response:
    """The answer to any request, whatever its status, read up to `bytes_max` bytes.

    Raises:
        MalformedError: no http(s) address, a compressed answer, or one that is too long.
        UnavailableError: not reached, broken off, or not done within `seconds`.
    """
    deadline = time.monotonic() + seconds
    try:
        with _client().stream(
            method, url, content=body, headers=headers, timeout=_timeout(seconds)
        ) as answer:
            received = _read(answer, url, bytes_max, deadline)
            return Response(
                status=answer.status_code,
                headers={name.lower(): value for name, value in answer.headers.items()},
                body=received,
            )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise MalformedError(f"{url}: not an http(s) address") from error
    except httpx.TransportError as error:
        reason = str(error) or type(error).__name__
        raise UnavailableError(
            f"{_place(url)}: cannot be reached ({reason})", hint="try again in a moment"
        ) from error


def raise_for(response: Response) -> None:
    """Return if the status says success, else raise the error that the server raised.

    Raises:
        SafeconductError: its family, from the header or else from the status.
    """
    if response.status < 400:
        return
    family = response.headers.get(ERROR_FAMILY_HEADER, "")
    if family not in _FAMILIES:
        by_default = "unavailable" if response.status >= 500 else "malformed"
        family = _FAMILY_OF_STATUS.get(response.status, by_default)
    message, hint = _told(response)
    error = _FAMILIES[family](message, hint=hint)
    error.http_status = response.status
    raise error


def patiently(call: Callable[[], Answer], *, seconds: float) -> Answer:
    """The result of `call`, tried again while it is unavailable, for about `seconds`.

    Raises:
        SafeconductError: whatever `call` raised at last.
    """
    deadline = time.monotonic() + seconds
    pause = _BACK_OFF_FIRST_SECONDS
    while True:
        try:
            return call()
        except UnavailableError:
            if time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _BACK_OFF_LAST_SECONDS)


def _read(answer: httpx.Response, url: str, bytes_max: int, deadline: float) -> bytes:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise MalformedError(f"{_place(url)}: answered with a compressed body")
    received = bytearray()
    for piece in answer.iter_raw():
        received += piece
        if len(received) > bytes_max:
            raise MalformedError(f"{_place(url)}: the answer is longer than {bytes_max} bytes")
        if time.monotonic() > deadline:
            raise UnavailableError(f"{_place(url)}: the answer takes too long")
    return bytes(received)


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


def _place(url: str) -> str:
    """Scheme, host and port only: a path may hold what the reader need not see."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii', 'replace')}"


def _timeout(seconds: float) -> httpx.Timeout:
    """How long each step may take, never longer than the whole."""
    return httpx.Timeout(min(READ_SECONDS, seconds), connect=min(CONNECT_SECONDS, seconds))


@functools.cache
def _client() -> httpx.Client:
    """The one pool of connections of this process; httpx clients are safe between threads."""
    client = httpx.Client(
        follow_redirects=False,
        trust_env=False,
        # No cookie is ever taken: one would tie a source's requests to each other.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        limits=httpx.Limits(max_connections=_CONNECTIONS_MAX, keepalive_expiry=_IDLE_SECONDS),
        headers={"user-agent": "safeconduct", "accept-encoding": "identity"},
    )
    atexit.register(client.close)
    return client
