"""The steps of the form, for whoever shows one: where a visitor is, and what goes with it.

    words   twelve fresh words         check    three of them asked for, or what stands for that
    answers only if the body asks      text     files     send

Every path through the form has the same steps, so that "step 4 of 6" is true for everybody: who
types old words, or keeps nothing, does it where others are asked for three.
"""

from dataclasses import replace
from typing import Any

from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import Problem
from safeconduct.parties.intake.ticket import Ticket

WORDS, CHECK, ANSWERS, TEXT, FILES, SEND = "words", "check", "answers", "text", "files", "send"
_ORDER = (WORDS, CHECK, ANSWERS, TEXT, FILES, SEND)


def at_step(
    intake: Intake, step: str, ticket: Ticket | None, problem: Problem | None = None
) -> dict[str, Any]:
    """What `step.html` needs: `step` of `steps`, the sealed `ticket`, and the `problem`.

    The ticket lives as long as the page that carries it, so each page gets a renewed one:
    nobody loses a letter by having written for long at the steps before.
    """
    steps = [
        each for each in _ORDER if each != ANSWERS or intake.definition.questionnaire.questions
    ]
    renewed = None if ticket is None else replace(ticket, opened_at=intake.tickets.seconds())
    return {
        "step": 1 + steps.index(step),
        "steps": len(steps),
        "ticket": intake.tickets.seal(renewed) if renewed else "",
        "problem": problem,
    }
