"""What must hold between parties who do not trust each other, as pure functions over bytes.

Nothing here touches a disk, a network, a clock or a source of chance: time and random bytes
are arguments, so that every party, and every later judge, computes the same result from the
same bytes. The packages stand in one order, from `canonical` up to `decision`, and each
imports only what stands below it.
"""
