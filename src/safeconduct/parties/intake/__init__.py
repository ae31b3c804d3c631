"""The door: where sealed help is dated, taken in and kept until the desk fetches it.

Run by: the body, or a host it trusts little.
Sees: sizes, times, ciphertext; the plaintext of a server-sealed tip, in memory, for a moment.
Must never: read a client-sealed tip, move a date, put another author or desk key in place, or
answer before what it answers for is on the disk.

The tip's path: `accept` (deliveries) or `tell` (the form without JavaScript) → `store` → desk.
"""
