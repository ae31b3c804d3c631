"""Redemption: the registry's word that a credit was used up, once, by a claim.

    nullifier   H("nullifier"; key) of the credit: the same for each claim on it
    claim       the record hash of an open claim; of a sealed one a commitment, so that nobody
                who knows whose tip was credited learns here who claimed on it

Spec: docs/3-protocol.md §10.4.
"""

from safeconduct.errors import SafeconductError, UnverifiedError
from safeconduct.protocol.canonical import parse_hex, tagged_hash
from safeconduct.protocol.claim.bundle import NAME_SALT_BYTES, Bundle, relied_on
from safeconduct.protocol.credit import Credit, open_credit
from safeconduct.protocol.gazette import GazetteState, credit_group, credit_terms
from safeconduct.protocol.record import Record, Value, make_record, parse_signed, verify_signer


def credit_held(bundle: Bundle, state: GazetteState) -> Credit | None:
    """The credit that a claimant shows and holds; None on the other limbs, or if it fails."""
    if bundle.limb != "credited" or relied_on(bundle) is None:
        return None
    try:
        return open_credit(bundle.evidence("record"), state)
    except SafeconductError:
        return None  # why is told by `examine`


def redemption_record(bundle: Bundle, credit: Credit) -> Record:
    """The `redemption` of the credit that a claim was decided on, for the registry to sign."""
    group: dict[str, Value] = {
        "statute": credit.group.statute,
        "class": credit.group.word,
        "period": credit.group.period,
    }
    return make_record(
        "redemption",
        programme=bundle.record.hash("programme"),
        **group,
        nullifier=credit.nullifier,
        claim=redeemed_claim(bundle),
    )


def redeemed_claim(bundle: Bundle) -> bytes:
    """What a redemption calls its claim, which for a sealed one only its two ends can make."""
    if bundle.record.word("disclosure") == "open":
        return bundle.claim_hash
    salt = parse_hex(bundle.fields["name_salt"], NAME_SALT_BYTES, "claim bundle: name_salt")
    return tagged_hash("sealed-claim", salt, bundle.claim_hash)


def open_redemption(data: bytes, state: GazetteState) -> Record:
    """The redemption in `data`, signed by the registry, of a credit that some statute grants.

    Raises:
        MalformedError: no redemption, or no statute grants such credits.
        UnverifiedError: of another programme, or signed by somebody else.
    """
    signed = parse_signed(data, "redemption")
    record = verify_signer(signed, state.programme.key("registry"))
    if record.hash("programme") != state.programme_hash:
        raise UnverifiedError("redemption: belongs to another programme")
    credit_terms(state, credit_group(record))
    return record
