"""Mirror: copies logs and the door's shelf, checks every byte of it, and serves the copy.

Run by: anybody. The more there are, the less anybody can unsay.
Sees: what everybody can see: the logs' entries, and sealed capsules.
Must never see: words, tips, or who asks for what (nothing about a visitor is kept).
Must never be able to: change an entry or a date, for whoever reads a mirror verifies it all.

It moves to a new tree only after it has hashed every entry up to that tree's signed root, and
all of it is on the disk. It goes on serving when the log lies, when the log is gone, and when
its own disk is full. It keeps the cosigned checkpoints it sees, so that its proofs bear the
earliest date, and what one log signed that contradicts what it signed before.

A mirror needs no key. With one it cosigns what it has copied; such a mirror must, like a
witness, never be restored from a backup.

Read `copy.py` first. Spec: c2sp.org/tlog-tiles; c2sp.org/tlog-mirror as far as it is settled
(docs/adr/0014).
"""
