"""Checks of what a law says, or leaves unsaid: languages, alphabets, names that nothing uses,
rules that nobody reaches, questions that are never put.
"""

import re
import unicodedata
from collections.abc import Iterator

from safeconduct.protocol.statute.complaint import Check, Complaint, complain
from safeconduct.protocol.statute.section import JUDGEMENT
from safeconduct.protocol.statute.text import (
    Day,
    Instant,
    Listing,
    Number,
    Outcome,
    Passage,
    Period,
    Statute,
    Stretch,
    WordList,
    Words,
    all_parts,
)
from safeconduct.protocol.statute.walk import (
    loose_tests,
    names_read,
    reached_rules,
)


def _languages(statute: Statute) -> Iterator[Complaint]:
    wanted = set(statute.languages)
    for place, words in _all_words(statute):
        for language in sorted(wanted - words.keys()):
            yield complain(place, f"has no text in {language}")
        for language in sorted(words.keys() - wanted):
            yield complain(place, f"{language} is not a language of this statute")


def _all_words(statute: Statute) -> Iterator[tuple[str, Words]]:
    yield "statute.title", statute.title
    for name, declaration in statute.facts.items():
        yield f"facts.{name}.label", declaration.label
        if declaration.question:
            yield f"facts.{name}.question", declaration.question
    for part in all_parts(statute.sections):
        yield f"{part.place}.text", part.text
    for index, outcome in enumerate(statute.outcomes):
        yield f"outcomes[{index}].text", outcome.text
    yield "default.text", statute.default.text
    yield from ((place, text) for place, _, text in _effects(statute))
    for index, step in enumerate(statute.procedure.steps):
        yield f"procedure.steps[{index}].text", step.text


def _effects(statute: Statute) -> Iterator[tuple[str, str, Words]]:
    """Place, name and text of every effect that has a text."""
    outcomes = ((f"outcomes[{index}]", each) for index, each in enumerate(statute.outcomes))
    listing = statute.procedure.listing
    having: list[tuple[str, Outcome | Listing]] = [*outcomes, ("default", statute.default)]
    having += [("procedure.listing", listing)] if listing is not None else []
    for place, each in having:
        for index, name in enumerate(each.effects):
            if name in each.effect_texts:
                yield f"{place}.effects[{index}].text", name, each.effect_texts[name]


def _effects_told_otherwise(statute: Statute) -> Iterator[Complaint]:
    """An effect has one name and one text: a person is told by its name which one it is."""
    for place, name, text in _effects(statute):
        if text != statute.effect_text(name):
            yield complain(place, f"{name} is told in other words elsewhere in this statute")


# Letters of these alphabets look alike; a word that mixes them says one thing to a reader and
# another to whoever searches for it.
_ALPHABETS = frozenset({"LATIN", "CYRILLIC", "GREEK"})
_WORD = re.compile(r"[^\W\d_]+")


def _mixed_alphabets(statute: Statute) -> Iterator[Complaint]:
    texts = [(p, text) for p, words in _all_words(statute) for text in words.values()]
    numbers = [(f"{p.place}.number", p.number) for p in all_parts(statute.sections)]
    for place, text in [*texts, *numbers, ("statute.body", statute.body)]:
        for word in _WORD.findall(text):
            if not word.isascii() and len(_alphabets(word)) > 1:
                yield complain(place, f"the word “{word}” mixes letters that look alike")


def _alphabets(word: str) -> set[str]:
    return {unicodedata.name(letter, "").partition(" ")[0] for letter in word} & _ALPHABETS


def _unreachable_rules(statute: Statute) -> Iterator[Complaint]:
    outcomes = [n for o in statute.outcomes for n in (o.rule, o.final_when, o.revoked_when)]
    steps = [rule for s in statute.procedure.steps for rule in (s.extended, s.owed_when)]
    named = [test.name for test in loose_tests(statute) if test.operator == "rule"]
    reached = reached_rules([*outcomes, *steps, *named], statute)
    for name, provision in statute.rules.items():
        if name not in reached:
            yield complain(provision.place, f"no outcome leads to the rule {name}")


_KINDS = {
    Instant: "date",
    Day: "date",
    Stretch: "period",
    Period: "duration",
    Number: "number",
    WordList: "list",
}


def _asked_before_a_listing(statute: Statute) -> set[str]:
    """What a human must find before anybody is listed: no rule reads it, the decision does."""
    listing = statute.procedure.listing
    passages = [part for part in statute.sections if isinstance(part, Passage)]
    return {
        part.asks for part in passages if listing is not None and part.number == listing.section
    }


def _unused_names(statute: Statute) -> Iterator[Complaint]:
    used = names_read(statute) | _asked_before_a_listing(statute)
    for name in statute.facts:
        if name not in used:
            yield complain(f"facts.{name}", "no rule asks for this fact")
    for name, parameter in statute.parameters.items():
        if name in used or _used_by_value(parameter, statute):
            continue
        yield complain(f"parameters.{name}", f"no rule asks for this {_KINDS[type(parameter)]}")


def _used_by_value(parameter: object, statute: Statute) -> bool:
    """Whether credits or the procedure use it; they keep what it is, and not its name."""
    if isinstance(parameter, Instant):
        return statute.credits is not None and parameter.limit_at in statute.credits.periods
    if not isinstance(parameter, Period):
        return False
    procedure = statute.procedure
    listing = () if procedure.listing is None else (procedure.listing.reply_period,)
    steps = [each for step in procedure.steps for each in (step.within, step.extension)]
    return parameter.duration in (procedure.appeal_period, *listing, *steps)


def _unasked_questions(statute: Statute) -> Iterator[Complaint]:
    """A sentence that only a human can apply says what it asks for, and in what words."""
    for part in statute.sections:
        if not isinstance(part, Passage) or part.about != JUDGEMENT:
            continue
        if not part.asks:
            yield complain(f"{part.place}.asks", "say which fact a human finds by this section")
        elif not statute.facts[part.asks].question:
            yield complain(
                f"facts.{part.asks}.question",
                f"say what whoever applies section {part.number} is asked",
            )


CHECKS_OF_TEXT: tuple[Check, ...] = (
    _languages,
    _mixed_alphabets,
    _effects_told_otherwise,
    _unreachable_rules,
    _unused_names,
    _unasked_questions,
)
