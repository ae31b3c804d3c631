"""A listing's course: from the first draft to its end, folded from what happened.

    proposed ── notified ── replied ── decided ── final ── effective ── ended
       ↺            └──────────┴──────────┘ │       │
                                            └───────┴── appealed: suspended ── appeal decided

    uphold   the decision becomes final          quash, replace   the listing ends, unseen
    remit    it is to be decided again           expired          by the day, with no event

The state is derived and stored nowhere. What the law gives the person comes first: a file that
says something about this one person, a notice of it, time to reply, which nothing cuts short,
and a decision that names it. Nothing is visible outside before the listing is effective; who
the file is about may see all of it from the notice on.

What the body owes, and until when, is worked out here as well: a duty that was not done in time
shows as breached for ever.

Spec: docs/3-protocol.md §16.1.
"""

from safeconduct.protocol.registration.course import (
    CAUSES,
    EVENT_BYTES_MAX,
    JUDGEMENTS,
    REGISTERED,
    RESULTS,
    STEPS,
    Course,
    Event,
    check_individual,
    dossier_of,
    fold_course,
    next_state,
    step,
    take,
)
from safeconduct.protocol.registration.standing import (
    WITHIN,
    Duty,
    Registration,
    Terms,
    check_reply_over,
    fold_registration,
    registration_of,
    reply_last_at,
    terms_of,
    tombstone_is_public,
    unsealed_from,
)

__all__ = [
    "CAUSES",
    "EVENT_BYTES_MAX",
    "JUDGEMENTS",
    "REGISTERED",
    "RESULTS",
    "STEPS",
    "WITHIN",
    "Course",
    "Duty",
    "Event",
    "Registration",
    "Terms",
    "check_individual",
    "check_reply_over",
    "dossier_of",
    "fold_course",
    "fold_registration",
    "next_state",
    "registration_of",
    "reply_last_at",
    "step",
    "take",
    "terms_of",
    "tombstone_is_public",
    "unsealed_from",
]
