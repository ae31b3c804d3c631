"""Witness: cosigns the checkpoints of other people's logs, and so fixes their dates.

Run by: an independent organisation, on one small machine with a clock it looks after.
Sees: checkpoints, that is the name, the size and the root hash of a log, and when they come.
Must never see: entries, tips, or names; it does not even learn what a log is about.
Must never be able to: make a date alone, for policies ask for several witnesses.

Its whole value is its memory: it never cosigns a tree that does not continue the largest one
it has cosigned before. Its folder must therefore never be restored from a backup; `rewind`
looks at each start whether that was done all the same. A log that shows it two histories is
never cosigned again, and `evidence` makes the proof that anyone can check.

Read `cosign.py` first. Spec: c2sp.org/tlog-witness.
"""
