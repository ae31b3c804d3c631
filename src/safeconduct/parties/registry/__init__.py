"""The registry: the public book of listed persons, and the cases of those who ask to leave it.

Run by: a clerk of the body.
Sees: claims with legal identity, and the evidence a claimant chose to show.
Must never: learn which tip earned a credit, change a decision, or make anything public before
it is final.

A claim's path: `receive` → `decide` (propose; the board signs; enter) → `appeal` or `publish`.
"""
