"""Law as data: text and rules side by side, and judgements that anyone can recompute.

    text        the values: statute, sections, conditions, times, facts
    calendar    the days of a place: offsets, weekends, holidays
    instant     dates with their offset, and periods added to them
    shape       strict reading of JSON that names the place of every fault
    condition   the operators, as they are written
    section     numbered text, its rule, its exceptions
    facts       what is asserted of one person's case
    load        canonical JSON to `Statute`, part by part: head, parameter, declaration,
                section, outcome, procedure, example; and parameters set by a body
    walk        every condition and time of a law
    compiled    a law made ready to be applied: every condition as a function of the case
    term        when something was: dates, sums, deemed dates; compare: before, by, during
    quantity    how many, how long in all, in which place
    cost        what applying a law takes, before it is applied
    evaluate    statute + facts + an instant to `Judgement`, whose proof is the result
    proof       what each step of a judgement was computed from
    steps       what is owed in time
    govern      which version of a law a case is judged by
    lint        what a statute must not be published with: fairness, clarity, trial, succession
    complaint   one reason against publishing it
    diff        what a new version changes; whom: for whom; phrase: in which words
    schema      the grammar as JSON Schema, for editors
    remedy      what would have to be different
    wording     the phrases of letters, in nine languages
    explain     the judgement as a letter
    public      the judgement for everybody, with commitments, and its receipt
    picture     the proof as a drawing

A statute is RFC 8785 canonical JSON of at most 60,000 bytes, so that one version fits one log
entry; its SHA-256 is its name. There are three truth values: what nobody has found out yet is
*unknown*, and what is known not to exist is *absent*; neither is ever quietly *false*.

Spec: docs/3-protocol.md, chapter on statutes.
"""

from safeconduct.protocol.statute.evaluate import (
    Judgement,
    OpenFact,
    evaluate,
    format_judgement,
    tree_hash,
)
from safeconduct.protocol.statute.explain import appeal_last_at, draw, letter, public_form
from safeconduct.protocol.statute.facts import Facts, load_facts, read_facts
from safeconduct.protocol.statute.govern import (
    Days,
    Governed,
    better,
    govern,
    governing,
    series,
)
from safeconduct.protocol.statute.instant import format_instant, parse_instant
from safeconduct.protocol.statute.lint import Complaint, check, check_change, lint, lint_change
from safeconduct.protocol.statute.load import (
    load_statute,
    read_statute,
    resolve_previous,
    with_parameters,
    with_version,
)
from safeconduct.protocol.statute.proof import Node
from safeconduct.protocol.statute.text import UNDETERMINED, Statute

__all__ = [
    "UNDETERMINED",
    "Complaint",
    "Days",
    "Facts",
    "Governed",
    "Judgement",
    "Node",
    "OpenFact",
    "Statute",
    "appeal_last_at",
    "better",
    "check",
    "check_change",
    "draw",
    "evaluate",
    "format_instant",
    "format_judgement",
    "govern",
    "governing",
    "letter",
    "lint",
    "lint_change",
    "load_facts",
    "load_statute",
    "parse_instant",
    "public_form",
    "read_facts",
    "read_statute",
    "resolve_previous",
    "series",
    "tree_hash",
    "with_parameters",
    "with_version",
]
