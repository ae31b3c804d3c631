"""The source's client: twelve words in, dated and sealed help out.

Run by: an insider, on their own machine, best over Tor.
Sees: its own tips and the replies to them; the public logs.
Must never: keep anything on disk, send a word or a plaintext anywhere, or believe a desk key or
a statute that the Gazette does not prove.

The tip's path: `send` (prepare, commit, deliver) → `inbox` (receipts and replies come back from
the words alone) → `claim` (months later, under a name).
"""
