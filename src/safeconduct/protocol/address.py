"""Where a tip goes: the statute it relies on, and a desk key that the board certified."""

from dataclasses import dataclass

# The profile a record names, and the field of the epoch certificate that holds its recipient.
# The classic profile is for stock tools of today; the other withstands a later quantum
# computer.
PROFILES = {"mlkem768x25519": "hybrid", "x25519": "classic"}
DEFAULT_PROFILE = "mlkem768x25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What a source has verified in the Gazette before it seals; hashes are 32 bytes."""

    programme: bytes
    statute: bytes
    epoch: int
    certificate: bytes
    profile: str
    recipient: str
