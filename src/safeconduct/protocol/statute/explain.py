"""A judgement in words: the letter to the person, the public record, and a drawing.

All three are read off the proof; none computes anything again. The letter lists every section
that was tried, those that did not apply included, says what would have to be different, and
names the remedy with its last day. The public record keeps the proof's shape and replaces
each test of a confidential fact by a salted commitment, and with it how many tips there were.

Spec: docs/3-protocol.md, chapter on statutes.
"""

from safeconduct.protocol.canonical import Json, derive_key, format_json, tagged_hash, u32
from safeconduct.protocol.statute.evaluate import (
    EVALUATOR,
    Judgement,
    declared_name,
    format_judgement,
)
from safeconduct.protocol.statute.instant import add, format_instant
from safeconduct.protocol.statute.proof import TRUTH_WORDS, Node, flatten, node_document
from safeconduct.protocol.statute.remedy import Change, changes
from safeconduct.protocol.statute.text import (
    UNDETERMINED,
    Condition,
    Instant,
    Provision,
    Statute,
    Words,
    all_conditions,
    all_parts,
)

SALT_BYTES = 32
_TESTS_SHOWN_MAX = 60  # in a letter, for each section

_MARKS = {True: "✓", False: "✗", None: "?"}

_PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "undetermined": "Nothing can be decided yet.",
        "law": "Law applied: {title}, version {number}, SHA-256 {hash}",
        "rests": "This rests on: {sections}",
        "tried": "The sections that were tried:",
        "true": "applies",
        "false": "does not apply",
        "unknown": "is open",
        "test true": "met",
        "test false": "not met",
        "test unknown": "open",
        "section": "Section {number} {verdict}: {text}",
        "change": "This would change if:",
        "nothing": "No finding about the facts would change it.",
        "waits": "Facts still open, and who owes them:",
        "owed": "{test} ({fact}), owed by: {owner}",
        "credit": "Help was shown by a credit (section {section}): it stands for a tip graded"
        " {word} that was logged before {date} (UTC), and names none.",
        "remedy": "Remedy: section {section}. {text}",
        "last": "Last day for an appeal: {date} (UTC), for a decision served {served}.",
        "is": "{label}: {values}",
        "is not": "{label}: not {values}",
        "one of": "{label}: one of {values}",
        "none of": "{label}: none of {values}",
        "before": "{label}: before {limit}",
        "not before": "{label}: not before {limit}",
        "at-least": "{label}: at least {bound}",
        "less": "{label}: less than {bound}",
        "absent": "{label}: known not to exist",
        "not absent": "{label}: exists",
        "known": "{label}: found out",
        "not known": "{label}: not found out",
        "further": "one more item in the list {list} is added, with:",
        "yes": "yes",
        "no": "no",
    },
    "de": {
        "undetermined": "Noch kann nichts entschieden werden.",
        "law": "Angewandtes Gesetz: {title}, Fassung {number}, SHA-256 {hash}",
        "rests": "Dies beruht auf: {sections}",
        "tried": "Die geprüften Abschnitte:",
        "true": "trifft zu",
        "false": "trifft nicht zu",
        "unknown": "ist offen",
        "test true": "erfüllt",
        "test false": "nicht erfüllt",
        "test unknown": "offen",
        "section": "Abschnitt {number} {verdict}: {text}",
        "change": "Dies würde sich ändern, wenn:",
        "nothing": "Keine Feststellung über die Tatsachen würde es ändern.",
        "waits": "Noch offene Tatsachen, und wer sie schuldet:",
        "owed": "{test} ({fact}), geschuldet von: {owner}",
        "credit": "Die Hilfe ist durch eine Gutschrift belegt (Abschnitt {section}): Sie steht"
        " für einen Hinweis der Bewertung {word}, der vor dem {date} (UTC) protokolliert wurde,"
        " und nennt keinen.",
        "remedy": "Rechtsbehelf: Abschnitt {section}. {text}",
        "last": "Letzter Tag für eine Beschwerde: {date} (UTC), bei Zustellung am {served}.",
        "is": "{label}: {values}",
        "is not": "{label}: nicht {values}",
        "one of": "{label}: eines von {values}",
        "none of": "{label}: keines von {values}",
        "before": "{label}: vor {limit}",
        "not before": "{label}: nicht vor {limit}",
        "at-least": "{label}: mindestens {bound}",
        "less": "{label}: weniger als {bound}",
        "absent": "{label}: erwiesenermaßen nicht vorhanden",
        "not absent": "{label}: vorhanden",
        "known": "{label}: festgestellt",
        "not known": "{label}: nicht festgestellt",
        "further": "ein weiterer Eintrag in der Liste {list} hinzukommt, mit:",
        "yes": "ja",
        "no": "nein",
    },
}
LETTER_LANGUAGES = frozenset(_PHRASES)


def appeal_last_at(statute: Statute, served_at: int) -> int:
    """POSIX seconds: an appeal is in time up to and including this instant.

    Raises:
        MalformedError: the period ends beyond the year 9999.
    """
    return add(served_at, statute.procedure.appeal_period)


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
    return given + "\n" + remedy(statute, served_at, language)


def reasons(
    statute: Statute,
    judgement: Judgement,
    language: str = "en",
    *,
    credited: tuple[str, int] | None = None,
) -> str:
    """The letter up to its reasons: all of it that is settled before it is served."""
    say = _Voice(statute, language)
    lines = [say.outcome(judgement), "", say.law(), ""]
    if credited is not None:
        lines += [say.credit(*credited), ""]
    if judgement.decided:
        lines += [say.phrase("rests", sections=", ".join(judgement.sections)), ""]
    lines += [say.phrase("tried"), *say.sections(judgement)]
    if judgement.decided:
        lines += ["", *say.changes(judgement)]
    else:
        lines += ["", say.phrase("waits"), *say.open_facts(judgement)]
    return "\n".join(lines) + "\n"


def remedy(statute: Statute, served_at: int, language: str = "en") -> str:
    """The letter's end: how to appeal, and until when, once it was served at `served_at`."""
    return "\n".join(_Voice(statute, language).remedy(served_at)) + "\n"


class _Voice:
    """One statute read aloud in one language."""

    def __init__(self, statute: Statute, language: str) -> None:
        self._statute = statute
        self._language = language
        self._phrases = _PHRASES[language]
        self._conditions = {
            each.place: each for rule in statute.rules.values() for each in all_conditions(rule)
        }

    def phrase(self, key: str, **values: object) -> str:
        return self._phrases[key].format(**values)

    def words(self, words: Words) -> str:
        return words.get(self._language) or words[_first(self._statute, words)]

    def outcome(self, judgement: Judgement) -> str:
        if judgement.outcome == UNDETERMINED:
            return self.phrase("undetermined")
        return self.words(self._statute.outcome(judgement.outcome).text)

    def law(self) -> str:
        return self.phrase(
            "law",
            title=self.words(self._statute.title),
            number=self._statute.version.number,
            hash=self._statute.sha256.hex(),
        )

    def credit(self, word: str, period: int) -> str:
        terms = self._statute.credits
        assert terms is not None
        date = format_instant(terms.periods[period - 1])
        return self.phrase("credit", section=terms.section, word=word, date=date)

    def sections(self, judgement: Judgement) -> list[str]:
        nodes = {n.section: n for n in flatten(judgement.roots)[0] if n.section}
        return [
            line
            for part in all_parts(self._statute.sections)
            if isinstance(part, Provision) and part.number in nodes
            for line in self._tried(part, nodes[part.number])
        ]

    def _tried(self, part: Provision, node: Node) -> list[str]:
        lines = [f"  {_MARKS[node.value]} {self._section(part, node.value)}"]
        tests = _own_tests(node.children[0])
        for test in tests[:_TESTS_SHOWN_MAX]:
            text = self.test(self._conditions[test.place], True)
            verdict = self.phrase(f"test {TRUTH_WORDS[test.value]}")
            facts = ", ".join(test.facts)
            lines.append(f"      {_MARKS[test.value]} {verdict} — {text} ({facts})")
        if len(tests) > _TESTS_SHOWN_MAX:
            lines.append(f"      … +{len(tests) - _TESTS_SHOWN_MAX}")
        return lines

    def _section(self, part: Provision, value: bool | None) -> str:
        verdict = self.phrase(TRUTH_WORDS[value])
        return self.phrase(
            "section", number=part.number, verdict=verdict, text=self.words(part.text)
        )

    def open_facts(self, judgement: Judgement) -> list[str]:
        return [
            "  - "
            + self.phrase(
                "owed",
                test=self.words(self._statute.facts[declared_name(each.fact)].label),
                fact=each.fact,
                owner=each.owed_by,
            )
            for each in judgement.open_facts
        ]

    def changes(self, judgement: Judgement) -> list[str]:
        wanted = changes(self._statute, judgement)
        if wanted is None:
            return [self.phrase("nothing")]
        return [self.phrase("change"), *(f"  - {self._change(each)}" for each in wanted)]

    def _change(self, change: Change) -> str:
        if change.new_item:
            return self.phrase("further", list=change.new_item)
        text = self.test(self._conditions[change.place], change.value)
        return f"{text} ({change.fact})" if change.fact else f"  {text}"

    def test(self, condition: Condition, holds: bool) -> str:
        """A test in words, or its opposite."""
        key, values = _WORDING.get(condition.operator, _bounded)(condition, holds)
        return self.phrase(
            key,
            label=self.words(self._statute.facts[condition.fact].label),
            values=", ".join(self._value(value) for value in values),
            bound=condition.bound,
            limit=self._limit(condition.name),
        )

    def _value(self, value: bool | int | str) -> str:
        if isinstance(value, bool):
            return self.phrase("yes" if value else "no")
        return str(value)

    def _limit(self, name: str) -> str:
        parameter = self._statute.parameters.get(name)
        if isinstance(parameter, Instant):
            return parameter.written
        declaration = self._statute.facts.get(name)
        return self.words(declaration.label) if declaration else ""

    def remedy(self, served_at: int) -> list[str]:
        section = self._statute.procedure.appeal_section
        text = self.words(self._statute.section_text(section))
        last = format_instant(appeal_last_at(self._statute, served_at))
        served = format_instant(served_at)
        return [
            self.phrase("remedy", section=section, text=text),
            self.phrase("last", date=last, served=served),
        ]


def _first(statute: Statute, words: Words) -> str:
    return next((each for each in statute.languages if each in words), min(words))


def _own_tests(node: Node) -> list[Node]:
    """The tests of facts below `node` that are this section's own, not another rule's."""
    if node.facts:
        return [node]
    below = () if node.operator == "rule" else node.children
    return [test for child in below for test in _own_tests(child)]


_Wording = tuple[str, tuple[bool | int | str, ...]]


def _equal(condition: Condition, holds: bool) -> _Wording:
    (value,) = condition.values
    if isinstance(value, bool):
        return "is", (value is holds,)
    return "is" if holds else "is not", condition.values


def _member(condition: Condition, holds: bool) -> _Wording:
    return "one of" if holds else "none of", condition.values


def _plain(condition: Condition, holds: bool) -> _Wording:
    return condition.operator if holds else f"not {condition.operator}", ()


def _bounded(condition: Condition, holds: bool) -> _Wording:
    wanted = {True: "at-least", False: "less"}
    return wanted[holds is (condition.operator == "at-least")], ()


_WORDING = {
    "is": _equal,
    "in": _member,
    "before": _plain,
    "absent": _plain,
    "known": _plain,
}


def draw(judgement: Judgement) -> str:
    """The proof as an indented drawing, a line for each step; a rule is drawn out once."""
    lines = [f"{judgement.outcome} ({', '.join(judgement.sections)})"]
    drawn: set[int] = set()

    def visit(node: Node, depth: int) -> None:
        again = bool(node.children) and id(node) in drawn
        drawn.add(id(node))
        lines.append("  " * depth + _drawn(node) + (" (see above)" if again else ""))
        for child in () if again else node.children:
            visit(child, depth + 1)

    for root in judgement.roots:
        visit(root, 1)
    return "\n".join(lines) + "\n"


def _drawn(node: Node) -> str:
    words = [_MARKS[node.value], node.operator, node.section, node.name, *node.facts]
    if node.state:
        words.append(f"[{node.state}]")
    return " ".join(word for word in words if word)


def public_form(statute: Statute, judgement: Judgement, salt: bytes) -> Json:
    """The judgement for everybody: tests of confidential facts become salted commitments.

    A list with a confidential field is committed to as a whole, so its length stays hidden.
    `salt` is 32 secret bytes, new for each judgement. The commitment of node n opens with
    K(salt, "fact-salt", u32(n)) and the nodes below it, numbered from 0; `judgement` opens
    with K(salt, "judgement-salt") and the bytes of the full judgement.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"the salt needs {SALT_BYTES} bytes")
    nodes, _ = flatten(judgement.roots)
    shown = _shown(statute, judgement.roots)
    public = [node for node in nodes if id(node) in shown]
    renumbered = {id(node): index for index, node in enumerate(public)}
    whole = tagged_hash(
        "judgement-commitment", derive_key(salt, "judgement-salt"), format_judgement(judgement)
    )
    return {
        "as_of": judgement.as_of,
        "evaluator": EVALUATOR,
        "judgement": whole.hex(),
        "nodes": [
            _sealed(node, salt, index)
            if _is_confidential(statute, node)
            else node_document(node, renumbered)
            for index, node in enumerate(public)
        ],
        "outcome": judgement.outcome,
        "roots": [renumbered[id(root)] for root in judgement.roots],
        "sections": list(judgement.sections),
        "statute": judgement.statute.hex(),
    }


def _shown(statute: Statute, roots: tuple[Node, ...]) -> set[int]:
    shown: set[int] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if id(node) not in shown:
            shown.add(id(node))
            waiting.extend(() if _is_confidential(statute, node) else node.children)
    return shown


def _is_confidential(statute: Statute, node: Node) -> bool:
    if node.operator in ("some", "at-least", "less") and not node.facts:
        fields = [d for name, d in statute.facts.items() if name.startswith(f"{node.name}.")]
        return any(each.confidential for each in fields)
    return any(statute.facts[declared_name(fact)].confidential for fact in node.facts)


def _sealed(node: Node, salt: bytes, index: int) -> Json:
    key = derive_key(salt, "fact-salt", u32(index))
    below, own_numbers = flatten((node,))
    opened = format_json([node_document(each, own_numbers) for each in below])
    return {
        "commitment": tagged_hash("fact-commitment", key, opened).hex(),
        "place": node.place,
        "value": TRUTH_WORDS[node.value],
    }
