"""The board: t of n members who found the programme, make its law and decide its cases.

Run by: each member on a machine of their own; there is no board server and no shared key.
Sees: the file of each case it decides.
Must never: decide with fewer than t, or in secret: who signed stands under every record.

A notice's path: somebody drafts it (`found`, `draft`) → members `sign` → it goes to a log.
"""
