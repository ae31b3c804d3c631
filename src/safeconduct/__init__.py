"""A disclosure-and-amnesty programme between people who do not trust each other.

    source/send → intake/accept → log/sequence → witness/cosign → desk/assess
    press/capture → board/sign → registry/decide → auditor/check

Nine parties, each a program of its own under `parties/`; they meet only in bytes, whose meaning
stands in `protocol/`. What touches the world stands in `plumbing/`.
"""

__version__ = "0.1.0"
