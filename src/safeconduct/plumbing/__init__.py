"""The only code that touches disk, network, clock, chance, keys and terminal.

One module per device, and one door per third-party library. Nothing here knows what a tip, a
checkpoint or a decision is: it moves bytes and fails with one of the five error families.
"""
