"""What anybody can recompute from a captured page: its text, who is quoted, its public part.

Whether a statement denounces anything is an assessor's judgement, never this package's.
"""
