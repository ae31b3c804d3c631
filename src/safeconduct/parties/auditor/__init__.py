"""The auditor: recompute everything that a body has published, from its bytes alone.

Run by: anyone — a court, a journalist, a listed person — offline, on a machine of their own.
Sees: a folder of public bytes and a policy file that says which logs and witnesses count.
Must never: need the network, a key, or trust in anybody's server. What it believes is what the
policy's quorum cosigned and what the pure floor `protocol` computes from it.

    folder      what lies there: regular files only, each under a name that this protocol gives
    tree        one log's copy: its checkpoint, its entries, proofs out of its tiles
    recompute   every tile and the root hash of a copy, out of its entries, in flat memory
    check       the numbered checks, in their order; `audit` runs them all
    provenance  checks 1 to 5: whose bytes these are, and who vouches for them
    logs        checks 3 and 4, and the audit of a log's copy that stands alone
    substance   checks 6 to 11: whether what is said follows from law, evidence and Gazette
    credits     check 12: whether each credit was used once, and none that was not given
    finding     what a check comes to, and against whom that speaks
    course      progress told on the way; the place that an earlier audit reached taken up
    place       the file that keeps this place
    progress    how far, how fast, how long still
    report      the outcome in words or as JSON
    receipt     the same for somebody who holds nothing but a receipt
    fork        what a proof that a log has forked proves, and what not

A failed check names the file, what was found and expected, and whom that speaks against; and it
accuses nobody of bytes that they did not sign for.
"""
