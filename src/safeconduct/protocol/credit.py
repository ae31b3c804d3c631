"""Credits: help is made good without naming the tip. See docs/3-protocol.md §24."""
