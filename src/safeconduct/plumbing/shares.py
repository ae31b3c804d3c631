"""Shares of a key among custodians: the only door to SLIP-39, which `shamir-mnemonic` keeps."""

import shamir_mnemonic as slip39

__all__ = ["slip39"]
