"""The few ways to fail, split by what the reader must do next.

Every error says what was wrong and where; none carries a secret or a plaintext. A parser lets
nothing but `MalformedError` escape. Wrong use by our own code is `TypeError`, `ValueError` or
`assert`, and is not caught anywhere.
"""


class SafeconductError(Exception):
    """Root of the five families.

    `hint` says what the reader can do; it may be empty. `told` is what a stranger at the other
    end of a network is told instead, where the message speaks of this machine.
    """

    http_status = 500
    exit_code = 70

    def __init__(self, message: str, *, hint: str = "", told: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.told = told


class MalformedError(SafeconductError):
    """Bytes do not parse, are not canonical, or pass a limit."""

    http_status = 400
    exit_code = 65


class UnverifiedError(SafeconductError):
    """Bytes parse, but a signature, proof, quorum or commitment does not hold."""

    http_status = 403
    exit_code = 10


class ConflictError(SafeconductError):
    """Statements hold one by one, yet contradict each other; both are kept as `evidence`."""

    http_status = 409
    exit_code = 11

    def __init__(
        self, message: str, *, evidence: tuple[bytes, ...] = (), hint: str = "", told: str = ""
    ) -> None:
        super().__init__(message, hint=hint, told=told)
        self.evidence = evidence


class RefusedError(SafeconductError):
    """Understood, but the statute, a step's order or the policy forbids it."""

    http_status = 403
    exit_code = 12


class UnavailableError(SafeconductError):
    """Our disk, network, key or clock, or another party's server, is not there right now."""

    http_status = 503
    exit_code = 75
