"""One statute read aloud in one language: its conditions, times, values and durations in words.

    voice(statute, "en").test(condition, True)       grade of the tip: one of useful
    voice(statute, "en").term(term)                  beginning of the office plus 6 months

A text that the statute lacks in the language comes in the statute's first language.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute.calendar import begin_of_day, day_of, end_of_day
from safeconduct.protocol.statute.evaluate import reading_of
from safeconduct.protocol.statute.facts import Facts, Interval, Missing, Reading, Span
from safeconduct.protocol.statute.instant import DAY_SECONDS, Duration
from safeconduct.protocol.statute.proof import Node
from safeconduct.protocol.statute.text import (
    UNDETERMINED,
    Amount,
    Condition,
    Day,
    Instant,
    Period,
    Provision,
    Quantity,
    Statute,
    Stretch,
    Term,
    Words,
    all_parts,
)
from safeconduct.protocol.statute.walk import all_seen
from safeconduct.protocol.statute.wording import (
    LANGUAGES,
    RIGHT_TO_LEFT,
    called,
    one_line,
    speak,
)
from safeconduct.protocol.statute.wording.dates import moment_in, written_in

VALUES_SHOWN_MAX = 20  # of a list of words, in one sentence
TEXT_CHARS_MAX = 600  # of one condition in words
_CALLED = ("list", "owner")
_MARKS_LEFTWARD = {",": "،", ";": "؛"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A statute and a language; `conditions` holds every condition of the law by its place."""

    statute: Statute
    language: str
    conditions: Mapping[str, Condition]
    numbers: Mapping[str, str]  # of sections, by the rule they state

    def say(self, key: str, **values: object) -> str:
        """A phrase of the language; a `list` and an `owner` in it are called by its words."""
        known = {each: self.called(str(values[each])) for each in _CALLED if each in values}
        return speak(self.language, key, **{**values, **known})

    def called(self, word: str) -> str:
        """What people call a word that claims, or the programme, bring with them."""
        return called(self.language, word)

    def several(self, parts: Iterable[str], mark: str = ",") -> str:
        """The parts one after another, parted by a comma or a semicolon of the language."""
        parting = _MARKS_LEFTWARD[mark] if self.language in RIGHT_TO_LEFT else mark
        return f"{parting} ".join(parts)

    def item(self, item: str) -> str:
        """What people call an item such as `tips[0]`: no. 1 of the list tips."""
        name, _, place = item.removesuffix("]").partition("[")
        return self.say("item", list=name, number=int(place) + 1)

    def moment(self, at: int) -> str:
        """POSIX seconds as people write a moment."""
        return moment_in(self.language, at)

    def words(self, words: Words) -> str:
        """What the statute says in the language, or in the first it has."""
        first = next((each for each in self.statute.languages if each in words), min(words))
        return one_line(words.get(self.language) or words[first])

    def label(self, name: str) -> str:
        """What the fact of the declared name is called."""
        declared = self.statute.facts.get(name)
        return self.words(declared.label) if declared else name

    def outcome(self, value: str) -> str:
        """The text of an outcome; of one that the law lacks, its name."""
        if value == UNDETERMINED:
            return self.say("undetermined")
        known = {each.value: each for each in (*self.statute.outcomes, self.statute.default)}
        return self.words(known[value].text) if value in known else value.replace("_", " ")

    def effect(self, name: str) -> str:
        """What an effect of a listing or an outcome does; of one without a text, its name."""
        text = self.statute.effect_text(name)
        return self.words(text) if text else name.replace("_", " ")

    def test(self, condition: Condition, holds: bool) -> str:
        """A condition in words, or its opposite; cut off where it is too long to be read."""
        text = _TESTS[condition.operator](self, condition, holds)
        return text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}…"

    def measured(self, quantity: Quantity) -> str:
        """What a number that is worked out from a list counts."""
        part = self.test(quantity.tests[-1], True)
        if quantity.operator == "rank" and quantity.term is not None:
            time = self.term(quantity.term)
            return self.say("rank", list=quantity.name, time=time, part=part)
        if quantity.operator == "total":
            return self.say(
                "total", list=quantity.name, label=self.label(quantity.field), part=part
            )
        return self.say("count", list=quantity.name, part=part)

    def term(self, term: Term) -> str:
        """A time or a span in words."""
        return _TERMS[term.operator](self, term)

    def limit(self, name: str) -> str:
        """A date or a period of the law as it was written, or the label of a fact."""
        parameter = self.statute.parameters.get(name)
        if isinstance(parameter, Instant | Day):
            return written_in(self.language, parameter.written)
        if isinstance(parameter, Stretch):
            return " – ".join(written_in(self.language, each) for each in parameter.written)
        return self.label(name)

    def value(self, reading: Reading) -> str:
        """A value as it was found, or why there is none."""
        if isinstance(reading, Missing):
            return self.say(f"state {reading.value}")
        if isinstance(reading, Span):
            return f"{self.value(reading.begin)} – {self.value(reading.end)}"
        if isinstance(reading, Interval):
            return self._interval(reading)
        if isinstance(reading, bool):
            return self.say("yes" if reading else "no")
        return self.called(str(reading))

    def _interval(self, found: Interval) -> str:
        first, last = self._written(found)
        if not first:
            return self.say("until", last=last)
        return last if first == last else self.say("between", first=first, last=last)

    def _written(self, found: Interval) -> tuple[str, str]:
        """Both ends, in UTC; as days, where whole days of the law's calendar are meant."""
        if found.earliest is None:
            return "", self.moment(found.latest)
        calendar = self.statute.calendar
        if calendar is not None:
            days = (day_of(found.earliest, calendar), day_of(found.latest, calendar))
            whole = begin_of_day(days[0], calendar), end_of_day(days[1], calendar)
            if whole == (found.earliest, found.latest):
                first, last = (date.fromordinal(day).isoformat() for day in days)
                return written_in(self.language, first), written_in(self.language, last)
        return self.moment(found.earliest), self.moment(found.latest)

    def duration(self, duration: Duration) -> str:
        """A period of the law in words, such as 3 months."""
        if duration.unit == "seconds":
            return self.seconds(duration.amount)
        return self.say(f"unit {duration.unit}", n=duration.amount)

    def seconds(self, seconds: int) -> str:
        """A length of time in the largest unit that measures it whole, from days downwards."""
        for unit, length in (("days", DAY_SECONDS), ("hours", 3_600), ("minutes", 60)):
            if seconds and seconds % length == 0:
                return self.say(f"unit {unit}", n=seconds // length)
        return self.say("unit seconds", n=seconds)

    def lateness(self, seconds: int) -> str:
        """How late something is, rounded down to the largest unit that it fills."""
        fitting = [length for length in (DAY_SECONDS, 3_600, 60) if seconds >= length]
        length = fitting[0] if fitting else 1
        return self.seconds(seconds // length * length)

    def tested(self, node: Node) -> str:
        """What a step of a proof tested; of a list without items, that there are none."""
        if node.operator in ("some", "all", "each") and not node.children:
            return self.say("empty", list=node.name)
        condition = self.conditions.get(node.place)
        return self.say("struck") if condition is None else self.test(condition, True)

    def found(self, given: Facts, node: Node) -> str:
        """What a test was made of; of a fact without a value, why it has none; or nothing."""
        if node.state:
            return self.say(f"state {node.state}")
        if node.bound is not None and (node.least is not None or not node.facts):
            return self._counted(node)
        return self.say("found", value=self.read(given, node.facts)) if node.facts else ""

    def read(self, given: Facts, facts: Iterable[str]) -> str:
        """What these facts were found to be."""
        return self.several((self.value(reading_of(given, each)) for each in facts), ";")

    def _counted(self, node: Node) -> str:
        values = [child.value for child in node.children]
        least, most = values.count(True), len(values) - values.count(False)
        if node.least is not None:
            least, most = node.least, node.least if node.most is None else node.most
        between = self.say("between", first=least, last=most) if most > least else str(least)
        return self.say("found", value=between)

    def amount(self, amount: Amount) -> str:
        """What an outcome is worth, such as 30 to 50 percent."""
        unit = self.say("percent") if amount.unit == "percent" else amount.unit
        unit = unit.replace("_", " ")
        if amount.least == amount.most:
            return f"{amount.most} {unit}"
        return self.say("amount range", least=amount.least, most=amount.most, unit=unit)


def voice(statute: Statute, language: str) -> Voice:
    """The statute in one of `wording.LANGUAGES`; the statute's own may be others.

    Raises:
        MalformedError: there are no words in this language.
    """
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise MalformedError(f"language: letters are written in {known}, not in {language}")
    return Voice(
        statute=statute,
        language=language,
        conditions={each.place: each for each, _ in all_seen(statute)},
        numbers={
            part.rule: part.number
            for part in all_parts(statute.sections)
            if isinstance(part, Provision) and part.rule
        },
    )


# Tests, and their opposites.


def _equal(say: Voice, condition: Condition, holds: bool) -> str:
    (value,) = condition.values
    if isinstance(value, bool):
        return say.say("is", label=say.label(condition.fact), values=say.value(value is holds))
    key = "is" if holds else "is not"
    return say.say(key, label=say.label(condition.fact), values=say.value(value))


def _member(say: Voice, condition: Condition, holds: bool) -> str:
    shown = [say.value(value) for value in condition.values[:VALUES_SHOWN_MAX]]
    more = ["…"] if len(condition.values) > VALUES_SHOWN_MAX else []
    key = "one of" if holds else "none of"
    return say.say(key, label=say.label(condition.fact), values=say.several([*shown, *more]))


def _compared(say: Voice, condition: Condition, holds: bool) -> str:
    key = condition.operator if holds else f"not {condition.operator}"
    if condition.terms:
        first, second = (say.term(each) for each in condition.terms)
        return say.say(key, label=first, limit=second)
    return say.say(key, label=say.label(condition.fact), limit=say.limit(condition.name))


def _plain(say: Voice, condition: Condition, holds: bool) -> str:
    key = condition.operator if holds else f"not {condition.operator}"
    return say.say(key, label=say.label(condition.fact))


def _bounded(say: Voice, condition: Condition, holds: bool) -> str:
    measured = condition.quantity
    label = say.measured(measured) if measured is not None else say.label(condition.fact)
    key = "at-least" if holds is (condition.operator == "at-least") else "less"
    return say.say(key, label=label, bound=condition.bound)


def _joined(say: Voice, condition: Condition, holds: bool) -> str:
    together = holds is (condition.operator == "and")
    parts = [say.test(part, holds) for part in condition.parts]
    return (
        parts[0] if len(parts) == 1 else say.say(_BOTH[together], parts=say.several(parts, ";"))
    )


_BOTH = {True: "and", False: "or"}


def _opposite(say: Voice, condition: Condition, holds: bool) -> str:
    return say.test(condition.parts[0], not holds)


def _each(say: Voice, condition: Condition, holds: bool) -> str:
    key = condition.operator if holds else f"not {condition.operator}"
    return say.say(key, list=condition.name, part=say.test(condition.parts[0], True))


def _rule(say: Voice, condition: Condition, holds: bool) -> str:
    number = say.numbers.get(condition.name, condition.name)
    return say.say("rule" if holds else "not rule", number=number)


def _struck(say: Voice, _condition: Condition, _holds: bool) -> str:
    return say.say("struck")


_TESTS: dict[str, Callable[[Voice, Condition, bool], str]] = {
    "is": _equal,
    "in": _member,
    "absent": _plain,
    "known": _plain,
    "at-least": _bounded,
    "less": _bounded,
    "before": _compared,
    "by": _compared,
    "during": _compared,
    "inside": _compared,
    "touch": _compared,
    "and": _joined,
    "or": _joined,
    "not": _opposite,
    "some": _each,
    "all": _each,
    "rule": _rule,
    "struck": _struck,
}


# Times.


def _several(say: Voice, term: Term) -> str:
    times = say.several((say.term(each) for each in term.terms), ";")
    return say.say(term.operator, times=times)


def _deemed(say: Voice, term: Term) -> str:
    first, second = (say.term(each) for each in term.terms)
    return say.say("when", test=say.test(term.tests[0], True), first=first, second=second)


def _sum(say: Voice, term: Term) -> str:
    period = say.statute.parameters[term.name]
    assert isinstance(period, Period)  # the loader lets nothing else be added to a time
    return say.say("add", what=say.term(term.terms[0]), duration=say.duration(period.duration))


_TERMS: dict[str, Callable[[Voice, Term], str]] = {
    "fact": lambda say, term: say.label(term.name),
    "parameter": lambda say, term: say.limit(term.name),
    "as_of": lambda say, _: say.say("as_of"),
    "begin": lambda say, term: say.say("begin", what=say.limit(term.name)),
    "end": lambda say, term: say.say("end", what=say.limit(term.name)),
    "add": _sum,
    "later": _several,
    "earlier": _several,
    "when": _deemed,
}
