"""The source's client: twelve words in, dated and sealed help out.

Run by: an insider, on their own machine, best over Tor.
Sees: its own tips and the replies to them; the public logs.
Must never: keep anything on disk, send a word or a plaintext anywhere, go past the proxy it was
given, or believe a desk key or a statute that the Gazette does not prove.

The tip's path: `send` (prepare, commit, wait, deliver) → `inbox` (receipts and replies come
back from the words alone) → `reply`, `credit` → `claim` (months later, by name), or `open`.
`options` holds what all verbs share; each has its circuits and waits in `options.travel`.
"""
