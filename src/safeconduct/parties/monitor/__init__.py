"""Monitor: watches the logs, their witnesses and mirrors, and what the body owes by a date.

Run by: anybody: a journalist, an insider's lawyer, an organisation. Nobody has to know.
Sees: what everybody may see, again and again, and remembers it between looks.
Must never see: tips, words, or the files of anybody but its own keeper.
Must never be able to: stop or bless anything. It raises an alert, with evidence that holds
without it.

One round of watching goes through these files:

    watch.py       the round: who is looked at, in which order, and what comes of it
    trees.py       two signed trees of one log: joined, forked and proven, or neither
    places.py      a log as it shows itself to us
    peers.py       who else shows it: witnesses' own endpoints, mirrors
    gazette.py     new entries of the Gazette, in plain words
    duties.py      dated duties that outsiders can see: met, due, missed
    owed.py        the keeper's own tips: was the delivery logged, was it answered
    finding.py     every kind of finding: how grave it is, what to do next
    store.py       what was seen, which alerts stand, which of them were told
    site.py        the same as a page, as JSON, and as figures for Prometheus

What outsiders cannot see, and therefore no monitor: whether a tip was opened, read or answered
(unless its sender hands over the files), whether a claim waits (no date is set for deciding
one), and whether a decision was held back that the law lets stay unpublished.
"""
