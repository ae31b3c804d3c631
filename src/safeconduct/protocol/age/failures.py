"""The ways in which an age file fails, as narrow as the reference vectors tell them apart.

A malformed header or key is a plain `MalformedError`. The families stay those of
`safeconduct.errors`; catch the names below only where the difference between, say, "not for
me" and "damaged" decides what happens next.
"""

from safeconduct.errors import MalformedError, UnverifiedError


class ArmorError(MalformedError):
    """The ASCII armor is not strict PEM."""


class NoIdentityMatchError(UnverifiedError):
    """No stanza opens with any identity at hand: the file is meant for somebody else."""


class HeaderMacError(UnverifiedError):
    """A stanza opened, but the header is not the one its sealer wrote."""


class PayloadError(UnverifiedError):
    """The payload was cut, extended or changed. What was released before is a true prefix."""
