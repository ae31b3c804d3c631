"""Log: the Gazette and the Ledger. One program, two origins, one process if you like.

Run by: the body whose programme it is.
Sees: public texts (Gazette) and bare 32-byte hashes (Ledger), and when they come.
Must never see: tips, names, or which hash belongs to what.
Must never be able to: fork, roll back or drop an entry without leaving evidence.

A batch of entries travels through these files:

    counter.py     those who brought entries wait here for their proofs
    sequence.py    the log: what it takes in, in which rounds, and what it says of itself
    writer.py      the steps: journal → signed checkpoint → tiles → cosignatures → publication
    journal.py     the newest entries, one synced append per batch, in bounded segments
    store.py       the lock: which checkpoint was signed last, replaced only by comparison
    tiles.py       the public files of the tree, rebuilt by the same function after a crash
    settle.py      syncs tiles in the background, then frees the journal's segments
    ahead.py       asks the witnesses, before the first signature, whether they know more
    quorum.py      asks all witnesses at once; publishes nothing before enough have cosigned
    prove.py       every proof that leaves, checked before it does
    recent.py      which index an entry has that is sent again
    recover.py     what a start makes of tiles and journal
    site.py        add, checkpoint, tiles, proofs and health over HTTP

Never restore a log from a backup: its witnesses remember more than the backup does, and the log
would not start. `fsck.py` finds out what a folder still holds; `repair.py` takes up what is
missing from a mirror.
"""
