"""The desk: where tips are opened, acknowledged, weighed and answered.

Run by: the body's assessors, on machines of their own, behind no server.
Sees: the tips in clear, and nothing about who wrote them that they do not say themselves.
Must never: deny what it has acknowledged, show one assessor another's vote before both have
voted, answer for a tip before the answer is on its disk, or let a tip's own echo vouch for it.

A tip's path: `pull` (from the door) → `unseal` (open, acknowledge) → `assess` (vote, weigh) →
`reply`. Each step is stored before anybody hears of it, and may be run again after any crash.
"""
