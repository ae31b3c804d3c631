"""A statute's logic a second time: its document as an answer-set program, solved by clingo.

Written from the specification and from the document alone; it shares nothing with our evaluator
but the JSON. Each condition becomes a node, once where a test that holds helps the person and
once where it does not. Truth is three values, each by rules of its own:

    v(C,N,I,t|f|u)   node N of item I (0: the whole case) in case C
    s(C,I,F,S)       fact F is in state S: unknown, absent, unproven or favour
    e(C,I,F,V)       fact F is V;      w(C,I,F,Earliest,Latest) for times
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import clingo

LONG_AGO = -2_000_000_000  # clingo counts in 32 bits
SETTLED = {
    "wait": "unknown",
    "favour_person": "favour",
    "body_bears": "unproven",
    "person_bears": "unproven",
}

LOGIC = """
v(C,N,I,u) :- at(C,N,I), not v(C,N,I,t), not v(C,N,I,f).

v(C,N,I,f) :- at(C,N,I), op(N,and), child(N,M), v(C,M,I,f).
v(C,N,I,t) :- at(C,N,I), op(N,and), v(C,M,I,t) : child(N,M).
v(C,N,I,t) :- at(C,N,I), op(N,or), child(N,M), v(C,M,I,t).
v(C,N,I,f) :- at(C,N,I), op(N,or), v(C,M,I,f) : child(N,M).
v(C,N,I,t) :- at(C,N,I), op(N,neg), child(N,M), v(C,M,I,f).
v(C,N,I,f) :- at(C,N,I), op(N,neg), child(N,M), v(C,M,I,t).

v(C,N,I,f) :- at(C,N,I), op(N,void).
v(C,N,I,f) :- at(C,N,I), op(N,section), if(N,M), v(C,M,I,f).
v(C,N,I,f) :- at(C,N,I), op(N,section), unless(N,M), v(C,M,I,t).
v(C,N,I,t) :- at(C,N,I), op(N,section), if(N,M), v(C,M,I,t), v(C,X,I,f) : unless(N,X).

v(C,N,0,t) :- at(C,N,0), op(N,some), of(N,L), child(N,M), item(C,L,I), v(C,M,I,t).
v(C,N,0,f) :- at(C,N,0), op(N,some), of(N,L), child(N,M), v(C,M,I,f) : item(C,L,I).
v(C,N,0,f) :- at(C,N,0), op(N,all), of(N,L), child(N,M), item(C,L,I), v(C,M,I,f).
v(C,N,0,t) :- at(C,N,0), op(N,all), of(N,L), child(N,M), v(C,M,I,t) : item(C,L,I).
sure(C,N,K) :- at(C,N,0), counts(N), of(N,L), child(N,M),
    K = #count { I : item(C,L,I), v(C,M,I,t) }.
most(C,N,K) :- at(C,N,0), counts(N), of(N,L), child(N,M),
    K = #count { I : item(C,L,I), not v(C,M,I,f) }.
v(C,N,0,t) :- op(N,many), sure(C,N,K), bound(N,B), K >= B.
v(C,N,0,f) :- op(N,many), most(C,N,K), bound(N,B), K < B.
v(C,N,0,t) :- op(N,few), most(C,N,K), bound(N,B), K < B.
v(C,N,0,f) :- op(N,few), sure(C,N,K), bound(N,B), K >= B.

v(C,N,I,t) :- at(C,N,I), op(N,in), fact(N,F), e(C,I,F,V), value(N,V).
v(C,N,I,f) :- at(C,N,I), op(N,in), fact(N,F), e(C,I,F,V), not value(N,V).
v(C,N,I,t) :- at(C,N,I), op(N,least), fact(N,F), e(C,I,F,V), bound(N,B), V >= B.
v(C,N,I,f) :- at(C,N,I), op(N,least), fact(N,F), e(C,I,F,V), bound(N,B), V < B.
v(C,N,I,t) :- at(C,N,I), op(N,less), fact(N,F), e(C,I,F,V), bound(N,B), V < B.
v(C,N,I,f) :- at(C,N,I), op(N,less), fact(N,F), e(C,I,F,V), bound(N,B), V >= B.
v(C,N,I,t) :- at(C,N,I), op(N,before), fact(N,F), w(C,I,F,E,L), limit(N,D), L < D.
v(C,N,I,f) :- at(C,N,I), op(N,before), fact(N,F), w(C,I,F,E,L), limit(N,D), E >= D.
v(C,N,I,V) :- at(C,N,I), asks(N), fact(N,F), s(C,I,F,favour), helps(N,V).
v(C,N,I,f) :- at(C,N,I), tests(N), fact(N,F), s(C,I,F,absent).
v(C,N,I,f) :- at(C,N,I), tests(N), fact(N,F), s(C,I,F,unproven).

v(C,N,I,t) :- at(C,N,I), op(N,absent), fact(N,F), s(C,I,F,absent).
v(C,N,I,f) :- at(C,N,I), op(N,absent), fact(N,F), s(C,I,F,unproven).
v(C,N,I,f) :- at(C,N,I), op(N,absent), fact(N,F), has(C,I,F).
v(C,N,I,t) :- at(C,N,I), op(N,known), fact(N,F), s(C,I,F,absent).
v(C,N,I,t) :- at(C,N,I), op(N,known), fact(N,F), has(C,I,F).
v(C,N,I,f) :- at(C,N,I), op(N,known), fact(N,F), s(C,I,F,S), S != absent.

e(C,I,F,V) :- e(C,0,F,V), item(C,_,I).
s(C,I,F,S) :- s(C,0,F,S), item(C,_,I).
w(C,I,F,E,L) :- w(C,0,F,E,L), item(C,_,I).
has(C,I,F) :- e(C,I,F,_).
has(C,I,F) :- w(C,I,F,_,_).
tests(N) :- op(N,(in;least;less;before)).
asks(N) :- tests(N).
asks(N) :- op(N,absent).
counts(N) :- op(N,(many;few)).
at(C,N,0) :- case(C), node(N,whole).
at(C,N,I) :- item(C,L,I), node(N,L).

found(C,K,V) :- outcome(K,N), v(C,N,0,V), case(C).
#show found/3.
"""


@dataclass(slots=True)
class Translation:
    """One statute's conditions as facts of the program."""

    document: Any
    lines: list[str] = field(default_factory=list)
    made: dict[tuple[str, bool], int] = field(default_factory=dict)
    count: int = 0

    def program(self) -> str:
        """The facts that stand for the statute."""
        for number, outcome in enumerate(self.document["outcomes"]):
            node = self._rule(outcome["when"], outcome["favours"] == "person")
            self.lines.append(f"outcome({number},{node}).")
        return "\n".join(self.lines)

    def _rule(self, name: str, favour: bool) -> int:
        if (name, favour) not in self.made:
            [section] = [s for s in self.document["sections"] if s.get("rule") == name]
            self.made[name, favour] = self._section(section, favour)
        return self.made[name, favour]

    def _section(self, section: Any, favour: bool) -> int:
        if section["number"] in self.document.get("struck", ()):
            return self._node("void", "whole", favour)
        node = self._node("section", "whole", favour)
        self.lines.append(f"if({node},{self._condition(section['if'], 'whole', favour)}).")
        for exception in section.get("unless", ()):
            self.lines.append(f"unless({node},{self._section(exception, not favour)}).")
        return node

    def _node(self, operator: str, where: str, favour: bool) -> int:
        self.count += 1
        helps = "t" if favour else "f"
        self.lines.append(
            f"node({self.count},{where}). op({self.count},{operator})."
            f" helps({self.count},{helps})."
        )
        return self.count

    def _condition(self, condition: Any, where: str, favour: bool) -> int:
        ((operator, operands),) = condition.items()
        if operator == "rule":
            return self._rule(operands, favour)
        if operator in ("and", "or", "not"):
            parts = [operands] if operator == "not" else operands
            return self._joined(operator, parts, where, favour)
        if operator in ("some", "all"):
            return self._quantified(operator, operands, favour)
        if operator in ("at-least", "less") and isinstance(operands[0], dict):
            return self._counted(operator, operands, favour)
        return self._test(operator, operands, where, favour)

    def _joined(self, operator: str, parts: Sequence[Any], where: str, favour: bool) -> int:
        node = self._node("neg" if operator == "not" else operator, where, favour)
        for part in parts:
            child = self._condition(part, where, favour is not (operator == "not"))
            self.lines.append(f"child({node},{child}).")
        return node

    def _quantified(self, operator: str, operands: Sequence[Any], favour: bool) -> int:
        node = self._node(operator, "whole", favour)
        name, part = operands
        self.lines.append(
            f"of({node},{name}). child({node},{self._condition(part, name, favour)})."
        )
        return node

    def _counted(self, operator: str, operands: Sequence[Any], favour: bool) -> int:
        many = operator == "at-least"
        node = self._node("many" if many else "few", "whole", favour)
        name, part = operands[0]["count"]
        child = self._condition(part, name, favour is many)
        self.lines.append(
            f"of({node},{name}). child({node},{child}). bound({node},{operands[1]})."
        )
        return node

    def _test(self, operator: str, operands: Any, where: str, favour: bool) -> int:
        kinds = {"is": "in", "at-least": "least"}
        node = self._node(kinds.get(operator, operator), where, favour)
        named = operands if isinstance(operands, str) else operands[0]
        name = (
            named if where == "whole" or named in self.document["facts"] else f"{where}.{named}"
        )
        self.lines.append(f'fact({node},"{name}").')
        if operator in ("is", "in"):
            values = operands[1] if operator == "in" else [operands[1]]
            self.lines += [f"value({node},{_value(value)})." for value in values]
        elif operator == "before":
            self.lines.append(f"limit({node},{self.document['limits'][operands[1]]}).")
        elif operator in ("at-least", "less"):
            self.lines.append(f"bound({node},{operands[1]}).")
        return node


def _value(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool | int) else f'"{value}"'


def case_lines(number: int, document: Any, facts: Any) -> Iterator[str]:
    """One case's facts, each in its state."""
    yield f"case({number})."
    single = {name: each for name, each in document["facts"].items() if "." not in name}
    yield from _facts(number, 0, single, facts.get("facts", {}), "")
    identity = 0
    for name in {each.partition(".")[0] for each in document["facts"] if "." in each}:
        fields = {n: d for n, d in document["facts"].items() if n.startswith(f"{name}.")}
        for item in facts.get("lists", {}).get(name, ()):
            identity += 1
            yield f"item({number},{name},{identity})."
            yield from _facts(number, identity, fields, item, f"{name}.")


def _facts(number: int, item: int, declared: Any, given: Any, prefix: str) -> Iterator[str]:
    for name, declaration in declared.items():
        value = given.get(name.removeprefix(prefix), None)
        place = f'{number},{item},"{name}"'
        if value is None:
            yield f"s({place},{SETTLED[declaration['unknown_at_end']]})."
        elif value in ("unknown", "absent"):
            yield f"s({place},{value})."
        elif declaration["type"] == "time":
            earliest, latest = value if isinstance(value, list) else (value, value)
            yield f"w({place},{LONG_AGO if earliest is None else earliest},{latest})."
        else:
            yield f"e({place},{_value(value)})."


def solve(document: Any, cases: Sequence[Any]) -> list[list[str]]:
    """The value, t, f or u, of each outcome's rule in each case."""
    control = clingo.Control(["--warn=none"])
    lines = [line for n, case in enumerate(cases) for line in case_lines(n, document, case)]
    control.add("base", [], "\n".join([LOGIC, Translation(document).program(), *lines]))
    control.ground([("base", [])])
    found = [[""] * len(document["outcomes"]) for _ in cases]
    with control.solve(yield_=True) as handle:
        [model] = [one.symbols(shown=True) for one in handle]
    for symbol in model:
        number, outcome, value = symbol.arguments
        found[number.number][outcome.number] = value.name
    return found
