"""Log: the Gazette and the Ledger. One program, two origins, one process if you like.

Run by: the body whose programme it is.
Sees: public texts (Gazette) and bare 32-byte hashes (Ledger), and when they come.
Must never see: tips, names, or which hash belongs to what.
Must never be able to: fork, roll back or drop an entry without leaving evidence.

A batch of entries travels through these files:

    sequence.py    the writer: pool → journal → signed checkpoint → tiles → cosignatures
    journal.py     all entries in order; the log's truth, one synced append per batch
    store.py       the lock: which checkpoint was signed last, replaced only by comparison
    tiles.py       the public files of the tree, rebuilt by the same function after a crash
    quorum.py      asks all witnesses at once; publishes nothing before enough have cosigned
    site.py        add, checkpoint, tiles and proofs over HTTP

Never restore a log from a backup: its witnesses remember more than the backup does, and will
not cosign again.
"""
