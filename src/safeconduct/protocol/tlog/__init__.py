"""The transparency log's formats, as the C2SP community specifies them, and one of our own.

    merkle       RFC 6962 trees: leaf and node hashes, proofs, the growing right edge
    tile         c2sp.org/tlog-tiles: a tree as static files of 256 hashes, entries in bundles
    note         c2sp.org/signed-note: text, an empty line, one signature a line
    checkpoint   c2sp.org/tlog-checkpoint: a note text of origin, size and root hash
    cosignature  c2sp.org/tlog-cosignature: a witness dates a checkpoint, a log signs its own
    proof        c2sp.org/tlog-proof: index, inclusion proof and checkpoint in one file
    policy       c2sp.org/tlog-policy: whose signatures count, and when a quorum is reached
    fork         ours: two signed trees of one log of which neither begins the other

A cosigned checkpoint looks like this; the whole trust of the programme hangs on five lines:

    log.example/ledger                                        origin
    20852163                                                  tree size, entries
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=              root hash
                                                              empty line: the text ends here
    — log.example/ledger Az3grlgtzPICa5OS8npVmf1Myq/5I...     key ID, Ed25519 signature
    — witness.example/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiID...     key ID, POSIX seconds, signature

Parsers accept one spelling of each value only, so a format written by anybody else can be
re-published byte for byte from the parsed value. Tree sizes stay below 2^63 entries.
"""
