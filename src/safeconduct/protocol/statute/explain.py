"""A judgement in words: the letter to the person, the public record, the receipt, a drawing.

All are read off the proof; none computes anything again. The letter lists every section that
was tried, those that did not apply included, with what was found; it says to whom it refuses
something what would have to be different, and names the remedy with its last day. `public` has
the forms for everybody else.

    You are acquitted from the registration.          the outcome, its amount and standing

    Law applied: …                                    version and hash
    This rests on: 3, 4(1)

    The sections that were tried:
      ✓ Section 4(1) applies: A person helped who …
          ✓ met — grade of the tip: one of useful — found: useful

    This would change if: …                           or, if it is for the person: it stands

    For whoever checks this again: …                  the hash of the law

Facts are called by their labels; their ids stand in the public record and in the receipt.

Whatever comes from a law, a board or a person is put on one line, so it cannot pass for one.

Spec: docs/3-protocol.md, chapter on statutes.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from safeconduct.protocol.statute.calendar import day_of
from safeconduct.protocol.statute.drawing import MARKS
from safeconduct.protocol.statute.drawing import draw as draw
from safeconduct.protocol.statute.evaluate import (
    CONDITIONAL,
    GRANTED,
    REVOKED,
    Judgement,
    declared_name,
    reading_of,
)
from safeconduct.protocol.statute.facts import Facts, Missing, Reading
from safeconduct.protocol.statute.instant import add
from safeconduct.protocol.statute.proof import TRUTH_WORDS, Node, flatten, with_items
from safeconduct.protocol.statute.public import SALT_BYTES as SALT_BYTES
from safeconduct.protocol.statute.public import public_form as public_form
from safeconduct.protocol.statute.public import receipt_form as receipt_form
from safeconduct.protocol.statute.remedy import Change, changes, item_changes
from safeconduct.protocol.statute.steps import StepState
from safeconduct.protocol.statute.text import (
    Outcome,
    Passage,
    Provision,
    Statute,
    all_parts,
)
from safeconduct.protocol.statute.wording import LANGUAGES, RIGHT_TO_LEFT, inserted, one_line
from safeconduct.protocol.statute.wording.dates import written_in
from safeconduct.protocol.statute.wording.voice import Voice, voice

LETTER_LANGUAGES = frozenset(LANGUAGES)
_TESTS_SHOWN_MAX = 60  # in a letter, for each section
_ITEMS_SHOWN_MAX = 60  # outcomes of single items, and times that one section was tried

# A line that begins with a word of the law's own would else be taken for one that runs so.
_LEFT_FIRST = re.compile("^((?:  - +)?)(?=\u2068)", re.MULTILINE)
_RIGHTWARD = "\u200f"

_OF_TIME = frozenset({"before", "by", "during", "inside", "touch"})
_LOGGED = frozenset({"log", "capture"})  # the proof of times that the log has dated


def appeal_last_at(statute: Statute, served_at: int) -> int:
    """POSIX seconds: an appeal is in time up to and including this instant.

    Where the period ends with the end of a day, that is the day's last second.

    Raises:
        MalformedError: the period ends beyond the year 9999, or among days that the calendar
            does not know.
    """
    return add(served_at, statute.procedure.appeal_period, statute.calendar)


def letter(
    statute: Statute,
    judgement: Judgement,
    served_at: int,
    language: str = "en",
    *,
    credited: tuple[str, int] | None = None,
) -> str:
    """The judgement in plain words for the person it concerns, one statement a line.

    Requires a language of `LETTER_LANGUAGES`; texts the statute lacks in it come in the
    statute's first language. It holds confidential facts: it is for the person alone.
    `credited` is the class and the period of the credit that was used, if one was.
    """
    given = reasons(statute, judgement, language, credited=credited)
    if not judgement.decided:
        return given
    ends = remedy(statute, served_at, language), checked(statute, language)
    return "\n".join([given, *ends])


def reasons(
    statute: Statute,
    judgement: Judgement,
    language: str = "en",
    *,
    credited: tuple[str, int] | None = None,
    competing: tuple[Statute, Judgement] | None = None,
    departure: str = "",
    decided: str = "",
    fallen: bool = False,
    steps: Sequence[StepState] = (),
) -> str:
    """The letter up to its reasons: all of it that is settled before it is served.

    `competing` is what another version of the law gives, which was not taken; `departure` is
    the board's reason for an outcome, `decided`, that is not the judgement's. What has
    `fallen` is told as what the law gives, and not as what stands.

    Raises:
        MalformedError: no letter can be written in this language.
    """
    telling = _Telling(voice(statute, language), judgement)
    stretches = [
        telling.outcome(departure, decided, fallen),
        telling.law(),
        telling.credit(credited),
        telling.competing(competing),
        telling.rests(),
        telling.items(),
        telling.tried(steps),
        telling.questions(),
        telling.changes(decided) if judgement.decided else telling.waits(),
        telling.steps(steps),
    ]
    told = "\n\n".join("\n".join(lines) for lines in stretches if lines) + "\n"
    return _LEFT_FIRST.sub(rf"\1{_RIGHTWARD}", told) if language in RIGHT_TO_LEFT else told


def remedy(statute: Statute, served_at: int, language: str = "en") -> str:
    """The letter's end: how to appeal, and until when, once it was served at `served_at`."""
    say = voice(statute, language)
    section = statute.procedure.appeal_section
    last_at = appeal_last_at(statute, served_at)
    dates = {"date": say.moment(last_at), "served": say.moment(served_at)}
    lines = [
        say.say("remedy", section=section, text=say.words(statute.section_text(section))),
        say.say("last", **dates),
    ]
    if statute.calendar is not None:
        local = date.fromordinal(day_of(last_at, statute.calendar)).isoformat()
        day = written_in(language, local, weekday=True)
        lines[1] = say.say("last local", day=day, zone=statute.calendar.zone, **dates)
    return "\n".join(lines) + "\n"


def checked(statute: Statute, language: str = "en") -> str:
    """A letter's footnote: by what somebody who computes it again knows the law."""
    say = voice(statute, language)
    told = say.say("check", number=statute.version.number, hash=statute.sha256.hex())
    return f"{told}\n"


class _Telling:
    """One judgement told in one language; each method gives the lines of one stretch."""

    def __init__(self, say: Voice, judgement: Judgement) -> None:
        self._say = say
        self._statute = say.statute
        self._judgement = judgement

    # What follows, and from which law.

    def outcome(self, departure: str, decided: str, fallen: bool) -> list[str]:
        say, found = self._say, self._judgement
        value = decided or found.outcome
        lines = [say.outcome(value)]
        if value == found.outcome and found.decided:
            lines += [*self._terms(), *self._standing()]
        if departure:
            lines.append(say.say("departure", reason=one_line(departure)))
        if value != found.outcome:
            lines.append(say.say("yields", outcome=say.outcome(found.outcome)))
        if found.decided and not fallen and self._favours(value):
            waits = value == found.outcome and found.standing == CONDITIONAL
            lines.append(say.say("stands conditional" if waits else "stands"))
        return lines

    def _favours(self, value: str) -> bool:
        known = (*self._statute.outcomes, self._statute.default)
        kind = {each.value for each in known if each.favours == "person"}
        return {value, *(each.outcome for each in self._judgement.items)} <= kind

    def _terms(self) -> Iterator[str]:
        say, outcome = self._say, self._statute.outcome(self._judgement.outcome)
        if self._judgement.amount is not None:
            yield say.say("amount", amount=say.amount(self._judgement.amount))
        if outcome.review_after is not None:
            yield say.say("review", duration=say.duration(outcome.review_after))
        if outcome.ends_after is not None:
            yield say.say("ends", duration=say.duration(outcome.ends_after))
        if outcome.unseal is not None:
            yield say.say("unseal", time=say.term(outcome.unseal))

    def _standing(self) -> Iterator[str]:
        standing = self._judgement.standing
        given = self._statute.outcome(self._judgement.outcome)
        if standing == CONDITIONAL and given.final_when:
            yield self._by_rule("conditional", given.final_when)
        if standing in (CONDITIONAL, GRANTED) and given.revoked_when:
            yield self._by_rule("revocable", given.revoked_when)
        for outcome in self._revoked() if standing == REVOKED else ():
            text = self._say.words(outcome.text)
            yield self._by_rule("revoked", outcome.revoked_when, outcome=text)

    def _revoked(self) -> list[Outcome]:
        """The outcomes that would hold, if a rule had not taken them away."""
        pairs = zip(self._statute.outcomes, self._judgement.roots, strict=True)
        return [
            outcome
            for outcome, root in pairs
            if outcome.revoked_when and any(_is_revoked(each) for each in _proofs(root))
        ]

    def _by_rule(self, key: str, rule: str, **more: object) -> str:
        provision = self._statute.rules[rule]
        text = self._say.words(provision.text)
        return self._say.say(key, number=provision.number, text=text, **more)

    def law(self) -> list[str]:
        return [self._version("law", self._statute)]

    def _version(self, key: str, statute: Statute, **more: object) -> str:
        return self._say.say(
            key,
            title=voice(statute, self._say.language).words(statute.title),
            number=statute.version.number,
            **more,
        )

    def credit(self, credited: tuple[str, int] | None) -> list[str]:
        terms = self._statute.credits
        if credited is None or terms is None:
            return []
        word, period = credited
        end, graded = self._say.moment(terms.periods[period - 1]), self._say.called(word)
        return [self._say.say("credit", section=terms.section, word=graded, date=end)]

    def competing(self, other: tuple[Statute, Judgement] | None) -> list[str]:
        if other is None:
            return []
        statute, judgement = other
        given = voice(statute, self._say.language).outcome(judgement.outcome)
        if judgement.amount is not None:
            given += f" ({self._say.amount(judgement.amount)})"
        return [
            self._version("competing", statute, outcome=given),
            self._say.say("same" if _same(self._judgement, judgement) else "better"),
        ]

    def rests(self) -> list[str]:
        if not self._judgement.decided:
            return []
        return [self._say.say("rests", sections=", ".join(self._judgement.sections))]

    def items(self) -> list[str]:
        items = self._judgement.items
        lines = [
            f"  - {self._item(each.item)}: {self._say.outcome(each.outcome)}"
            f" ({self._shown(', '.join(each.sections))})"
            for each in items[:_ITEMS_SHOWN_MAX]
        ]
        if len(items) > _ITEMS_SHOWN_MAX:
            lines.append(f"  - … +{len(items) - _ITEMS_SHOWN_MAX}")
        return [self._say.say("items"), *lines] if lines else []

    # The sections, and what their tests came to.

    def tried(self, steps: Sequence[StepState]) -> list[str]:
        proofs = (*(proof for step in steps for proof in step.proofs), *self._judgement.roots)
        plain = {n.section: n for n in flatten(proofs)[0] if n.section}
        by_item = _by_item(proofs)
        lines = [self._say.say("tried")]
        for part, of in _provisions(self._statute):
            if part.number not in plain:
                continue
            nodes = by_item.get(part.number, []) if of else []
            for item, node in nodes[:_ITEMS_SHOWN_MAX] or [("", plain[part.number])]:
                lines += self._section(part, node, item)
            if len(nodes) > _ITEMS_SHOWN_MAX:
                lines.append(f"      … +{len(nodes) - _ITEMS_SHOWN_MAX}")
        return lines

    def _section(self, part: Provision, node: Node, item: str) -> list[str]:
        say = self._say
        values = {"number": part.number, "text": say.words(part.text)}
        values["verdict"] = say.say(TRUTH_WORDS[node.value])
        values |= {"item": say.item(item)} if item else {}
        told = say.say("section of" if item else "section", **values)
        tests = list(_own_tests(node.children[0] if node.children else node))
        lines = [f"  {MARKS[node.value]} {told}"]
        lines += [f"      {self._test(each)}" for each in tests[:_TESTS_SHOWN_MAX]]
        if len(tests) > _TESTS_SHOWN_MAX:
            lines.append(f"      … +{len(tests) - _TESTS_SHOWN_MAX}")
        return lines

    def _test(self, node: Node) -> str:
        verdict = self._say.say(f"test {TRUTH_WORDS[node.value]}")
        text = self._say.tested(node)
        if not all(self._is_told(each) for each in node.facts):
            return f"{MARKS[node.value]} {verdict} — {text}"
        if node.operator in _OF_TIME and self._is_dated(node.facts):
            text = self._say.say("asks", test=text)
            found = self._found(node.facts)
        else:
            found = self._say.found(self._judgement.given, node)
        line = f"{MARKS[node.value]} {verdict} — {text}"
        return f"{line} — {found}" if found else line

    def _found(self, facts: Sequence[str]) -> str:
        """What facts were found to be; of what the log dated, that its witnesses did."""
        told = self._say.read(self._judgement.given, facts)
        if not self._is_known(facts):
            return told
        return self._say.say("dated" if self._is_dated(facts) else "found", value=told)

    def _is_known(self, facts: Sequence[str]) -> bool:
        given = self._judgement.given
        return not all(isinstance(reading_of(given, each), Missing) for each in facts)

    def _is_dated(self, facts: Sequence[str]) -> bool:
        proofs = {self._statute.facts[declared_name(each)].proof for each in facts}
        return bool(proofs) and proofs <= _LOGGED and self._is_known(facts)

    def _is_told(self, fact: str) -> bool:
        """Whether the letter may say what a fact was found to be."""
        return self._statute.facts[declared_name(fact)].shown

    # What no rule says, what would be otherwise, what is owed.

    def questions(self) -> list[str]:
        lines = [
            "  - "
            + self._say.say(
                "question",
                number=part.number,
                question=self._say.words(self._statute.facts[part.asks].question or part.text),
                answer=self._answer(part.asks),
            )
            for part in self._statute.sections
            if isinstance(part, Passage) and part.asks and self._is_asked(part.asks)
        ]
        return [self._say.say("questions"), *lines] if lines else []

    def _is_asked(self, name: str) -> bool:
        """Whether a human answered, or has to; what was never put to one is not told."""
        if not self._statute.facts[name].shown:
            return False
        given = self._judgement.given
        readings = [given.values[name]] if name in given.values else _of_items(given, name)
        return any(each not in (Missing.UNPROVEN, Missing.IN_FAVOUR) for each in readings)

    def _answer(self, name: str) -> str:
        given = self._judgement.given
        if name in given.values:
            return self._say.value(given.values[name])
        items = given.lists.get(name.partition(".")[0], ())
        answers = [
            f"{self._item(each.id)}: {self._say.value(each.values[name])}" for each in items
        ]
        return "; ".join(answers[:_ITEMS_SHOWN_MAX])

    def waits(self) -> list[str]:
        lines = [
            "  - "
            + self._say.say(
                "owed",
                test=self._say.label(declared_name(each.fact)),
                owner=each.owed_by,
            )
            for each in self._judgement.open_facts
        ]
        return [self._say.say("waits"), *dict.fromkeys(lines)]

    def changes(self, decided: str) -> list[str]:
        """What would help; of what is for the person already, and of a departure, nothing."""
        lines: list[str] = []
        given = self._judgement.outcome
        if decided in ("", given) and not self._favours(given):
            wanted = changes(self._statute, self._judgement)
            lines.append(self._say.say("nothing" if wanted is None else "change"))
            lines += [f"  - {self._change(each)}" for each in wanted or ()]
        for item, others in item_changes(self._statute, self._judgement)[:_ITEMS_SHOWN_MAX]:
            lines.append(self._say.say("change of", item=self._say.item(item)))
            lines += [f"  - {self._change(each)}" for each in others]
        return lines

    def _change(self, change: Change) -> str:
        if change.new_item:
            return self._say.say("further", list=change.new_item)
        text = self._say.test(self._say.conditions[change.place], change.value)
        if not change.fact:
            return f"  {text}"
        if not self._is_told(change.fact):
            return text
        return f"{text} — {self._found([change.fact])}"

    def _item(self, item: str) -> str:
        return self._shown(self._say.item(item))

    def _shown(self, text: str) -> str:
        return inserted(self._say.language, text)

    def steps(self, owed: Sequence[StepState]) -> list[str]:
        texts = {each.name: each.text for each in self._statute.procedure.steps}
        lines = [
            "  - "
            + self._say.say(
                "step",
                text=self._say.words(texts[each.name]),
                number=each.section,
                owner=each.owed_by,
                state=self._state(each),
            )
            for each in owed
        ]
        return [self._say.say("steps"), *lines] if lines else []

    def _state(self, step: StepState) -> str:
        due = "" if step.due_at is None else self._say.moment(step.due_at)
        late = "" if step.breached_by is None else self._say.lateness(step.breached_by)
        return self._say.say(f"step {step.state}", date=due, duration=late)


def _of_items(given: Facts, name: str) -> list[Reading]:
    return [each.values[name] for each in given.lists.get(name.partition(".")[0], ())]


def _same(one: Judgement, other: Judgement) -> bool:
    """Whether two judgements come to the same, as far as a person is concerned."""

    def come_to(given: Judgement) -> object:
        return given.outcome, given.amount, [(each.item, each.outcome) for each in given.items]

    return come_to(one) == come_to(other)


def _proofs(root: Node) -> tuple[Node, ...]:
    return root.children if root.operator == "each" else (root,)


def _is_revoked(proof: Node) -> bool:
    return (
        proof.operator == "outcome" and proof.value is False and bool(proof.children[0].value)
    )


def _provisions(statute: Statute) -> Iterator[tuple[Provision, str]]:
    """Sections and exceptions in the order of the law, with the list whose item is meant."""
    for section in statute.sections:
        if isinstance(section, Provision):
            for part in all_parts((section,)):
                if isinstance(part, Provision):
                    yield part, section.of


def _by_item(roots: tuple[Node, ...]) -> dict[str, list[tuple[str, Node]]]:
    """The sections that were tried for one item after another, by number, with the items."""
    found: dict[str, dict[str, Node]] = {}
    seen: set[tuple[int, str]] = set()
    waiting = [(root, "") for root in reversed(roots)]
    while waiting:
        node, item = waiting.pop()
        if (id(node), item) in seen:
            continue
        seen.add((id(node), item))
        if node.section and item:
            found.setdefault(node.section, {}).setdefault(item, node)
        below = [(child, about or item) for child, about in with_items(node)]
        waiting.extend(reversed(below))
    return {number: list(nodes.items()) for number, nodes in found.items()}


def _own_tests(node: Node) -> Iterator[Node]:
    """The tests below `node` that are this section's own, not another rule's."""
    if node.facts or not node.children or node.bound is not None:
        yield node
    for child in () if node.operator == "rule" else node.children:
        yield from _own_tests(child)
