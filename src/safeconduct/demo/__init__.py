"""The demonstration: a whole programme played on one machine, every part of it real.

It wires all parties together as nine people on nine machines would: each server is a process of
its own and talks HTTP; nothing is mocked, no clock is moved.
"""
