"""Openings: one envelope is shown to a judge. See docs/3-protocol.md §25."""
