"""Issuing keys: the one key of a group of blind credits, as the Gazette will take it.

Spec: docs/3-protocol.md §24.
"""

from safeconduct.errors import RefusedError
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.credit import BLIND
from safeconduct.protocol.gazette import CreditGroup, GazetteState, credit_terms
from safeconduct.protocol.record import Record, make_record


def check_wanted(state: GazetteState, group: CreditGroup) -> None:
    """Return if the Gazette would take a first key for this group.

    Raises:
        MalformedError, UnverifiedError: the statute grants no such credits.
        RefusedError: its credits are not blind, or the group has its key.
    """
    if credit_terms(state, group).scheme != BLIND:
        raise RefusedError("the statute's credits are not blind: they need no issuing key")
    if any(issuing.group == group for issuing in state.issuing_keys):
        raise RefusedError("this class and period have their key, and get no other")


def issuing_key_record(state: GazetteState, group: CreditGroup, der: bytes) -> Record:
    """The `issuing-key` record that comes next, for the board to sign.

    Raises:
        MalformedError, UnverifiedError, RefusedError: as `check_wanted`.
    """
    check_wanted(state, group)
    fields = {"class": group.word}
    return make_record(
        "issuing-key",
        programme=state.programme_hash,
        number=len(state.issuing_keys) + 1,
        statute=group.statute,
        period=group.period,
        key=format_base64(der),
        **fields,
    )
