"""Properties of any law made of all operators, and of any facts: what is decided stays so."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.statute.laws import attempt
from tests.protocol.statute.wide import DAY, FACTS, PARAMETERS, judged, wide_document

from safeconduct.protocol.statute import Statute, format_judgement, read_statute
from safeconduct.protocol.statute.remedy import changes

MANY = settings(max_examples=250, deadline=None)

SECONDS = st.integers(0, 40).map(lambda n: n * DAY // 4)
TIMES = st.one_of(
    SECONDS,
    st.tuples(SECONDS, SECONDS).map(sorted),
    SECONDS.map(lambda last: [None, last]),
    st.sampled_from(["1970-01-05", "1970-01"]),
)
DOUBT = st.sampled_from(["unknown", "unknown", "absent"])
LEFT_OUT = st.none()


def _span(sides: Any) -> Any:
    first, last = sides
    return {"begin": first, "end": last}


POINTS = st.tuples(SECONDS, SECONDS).map(sorted)
SPANS = st.one_of(
    POINTS.map(_span),
    POINTS.map(lambda p: {"begin": p[0], "end": "unknown"}),
    POINTS.map(lambda p: {"begin": "unknown", "end": p[1]}),
    POINTS.map(lambda p: {"begin": p[0], "end": "absent"}),
    POINTS.map(lambda p: {"begin": [None, p[0]], "end": p[1]}),
)
VALUES: dict[str, Any] = {
    "yesno": st.booleans(),
    "integer": st.integers(0, 4),
    "choice": st.sampled_from(["theft", "fraud", "murder"]),
    "time": TIMES,
    "span": SPANS,
}


def fields(prefix: str) -> Any:
    """Some of the facts whose names begin so, each with a value or a doubt."""
    names = {
        name.removeprefix(prefix): each["type"]
        for name, each in FACTS.items()
        if name.startswith(prefix) and ("." in name) is bool(prefix)
    }
    readings = {
        name: st.one_of(VALUES[kind], VALUES[kind], VALUES[kind], DOUBT, LEFT_OUT)
        for name, kind in names.items()
    }
    return st.fixed_dictionaries(readings).map(
        lambda given: {name: value for name, value in given.items() if value is not None}
    )


CASES = st.fixed_dictionaries(
    {"facts": fields(""), "acts": st.lists(fields("acts."), min_size=1, max_size=3)}
)

DATES = ["date", "last", "the_day", "as_of"]


def times(within: bool, tests: Any) -> Any:
    """Times over the facts of the wide law, and over the fields of an item."""
    names = ["t", "u", "v", *DATES, *(["when"] if within else [])]
    spans = ["s", "rule_time", *(["held"] if within else [])]
    plain = st.one_of(
        st.sampled_from(names),
        st.sampled_from(spans).map(lambda name: {"begin": name}),
        st.sampled_from(spans).map(lambda name: {"end": name}),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["term", "month", "until"])).map(
                lambda pair: {"add": list(pair)}
            ),
            st.lists(inner, min_size=2, max_size=3).map(lambda some: {"later": some}),
            st.lists(inner, min_size=2, max_size=3).map(lambda some: {"earlier": some}),
            st.tuples(tests, inner, inner).map(lambda three: {"when": list(three)}),
        ),
        max_leaves=3,
    )


def simple(within: bool) -> Any:
    """Tests of one fact that finding out cannot turn around."""
    yesno = ["x", "y", *(["good", "mine"] if within else [])]
    choice = ["c", *(["kind"] if within else [])]
    number = ["n", *(["size"] if within else [])]
    anything = ["x", "t", "s", *(["when", "held"] if within else [])]
    return st.one_of(
        st.tuples(st.sampled_from(yesno), st.booleans()).map(lambda p: {"is": list(p)}),
        st.sampled_from(choice).map(lambda name: {"in": [name, "grave"]}),
        st.tuples(st.sampled_from(["at-least", "less"]), st.sampled_from(number)).map(
            lambda p: {p[0]: [p[1], "three"]}
        ),
        st.sampled_from(anything).map(lambda name: {"absent": name}),
    )


def of_times(within: bool) -> Any:
    time = times(within, simple(within))
    spans = st.sampled_from(["s", "r", "rule_time", *(["held"] if within else [])])
    return st.one_of(
        st.tuples(st.sampled_from(["before", "by"]), time, time).map(_applied),
        st.tuples(st.just("during"), time, spans).map(_applied),
        st.tuples(st.sampled_from(["inside", "touch"]), spans, spans).map(_applied),
    )


def _applied(parts: Any) -> Any:
    operator, *operands = parts
    return {operator: operands}


def logic(tests: Any) -> Any:
    return st.recursive(
        tests,
        lambda inner: st.one_of(
            inner.map(lambda each: {"not": each}),
            st.lists(inner, min_size=1, max_size=3).map(lambda each: {"and": each}),
            st.lists(inner, min_size=1, max_size=3).map(lambda each: {"or": each}),
        ),
        max_leaves=3,
    )


ITEM = logic(st.one_of(simple(True), of_times(True)))
QUANTITIES = st.one_of(
    ITEM.map(lambda c: {"count": ["acts", c]}),
    ITEM.map(lambda c: {"total": ["acts", c, "held"]}),
    st.tuples(ITEM, ITEM, times(True, simple(True))).map(lambda p: {"rank": ["acts", *p]}),
)
CONDITIONS = logic(
    st.one_of(
        simple(False),
        of_times(False),
        st.tuples(st.sampled_from(["some", "all"]), ITEM).map(lambda p: {p[0]: ["acts", p[1]]}),
        st.tuples(st.sampled_from(["at-least", "less"]), QUANTITIES, st.integers(0, 5)).map(
            _applied
        ),
    )
)
GOOD, MINE = ({"is": [name, True]} for name in ("good", "mine"))
ONE = st.sampled_from([GOOD, {"not": GOOD}, {"absent": "held"}])
DEEMED = st.tuples(
    st.sampled_from(["x", "y"]).flatmap(
        lambda name: st.sampled_from(
            [{"is": [name, True]}, {"or": [{"is": [name, True]}, {"is": ["y", False]}]}]
        )
    ),
    st.sampled_from(["t", "u", "date"]),
    st.sampled_from(["t", "v", {"begin": "s"}]),
).map(lambda parts: {"when": list(parts)})
EDGES = st.one_of(
    st.tuples(
        st.sampled_from(["at-least", "less"]),
        st.one_of(
            ONE.map(lambda c: {"total": ["acts", c, "held"]}),
            st.sampled_from(["when", {"begin": "held"}]).map(
                lambda t: {"rank": ["acts", MINE, GOOD, t]}
            ),
        ),
        st.integers(1, 3),
    ).map(_applied),
    st.tuples(
        st.sampled_from(["before", "by"]),
        st.one_of(DEEMED, st.just({"later": ["t", "u"]}), st.just({"earlier": ["t", "u"]})),
        st.sampled_from(["v", "the_day", {"add": ["u", "month"]}]),
    ).map(_applied),
    st.tuples(
        st.sampled_from(["during", "inside", "touch"]),
        st.just("t"),
        st.sampled_from(["s", "rule_time"]),
    ).map(lambda p: {p[0]: ["t" if p[0] == "during" else "r", p[2]]}),
)
AT_END = st.dictionaries(
    st.sampled_from(sorted(FACTS)),
    st.sampled_from(["wait", "favour_person", "body_bears"]),
    max_size=8,
)


def law(condition: Any, at_end: Any, favours: str) -> Statute:
    """The law of this one rule, with what a doubt about some facts means."""
    declared = {
        name: each | {"unknown_at_end": at_end.get(name, "wait")}
        for name, each in FACTS.items()
    }
    document = wide_document(condition, facts=declared, parameters=PARAMETERS)
    document["outcomes"][0] |= {"favours": favours}
    return read_statute(document)


FAVOURS = st.sampled_from(["person", "body"])
LAWS = st.tuples(st.one_of(CONDITIONS, EDGES), AT_END, FAVOURS)


@settings(max_examples=600, deadline=None)
@given(LAWS, CASES, st.data())
def test_finding_out_never_turns_around_what_is_decided(
    written: Any, case: Any, data: st.DataObject
) -> None:
    statute, complaint = attempt(law, *written)
    if complaint:
        assert "deeper than" in complaint
        return
    before = judged(statute, case["facts"], case["acts"])
    found = {name: found_out(FACTS[name]["type"], v, data) for name, v in case["facts"].items()}
    acts = [
        {name: found_out(FACTS[f"acts.{name}"]["type"], v, data) for name, v in act.items()}
        for act in case["acts"]
    ]
    after = judged(statute, found, acts)
    if before.decided:
        assert after.outcome == before.outcome
    elif after.decided:
        assert before.open_facts


def found_out(kind: str, value: Any, data: st.DataObject) -> Any:
    """The same fact, found out more exactly; what is open may turn out to be absent too."""
    if value == "unknown":
        return data.draw(st.one_of(VALUES[kind], DOUBT))
    if kind == "time":
        return narrowed(value, data)
    if kind == "span" and isinstance(value, dict):
        return narrowed_span(value, data)
    return value


def narrowed(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, str) and value != "absent":
        return data.draw(
            st.sampled_from([value, {"1970-01": "1970-01-09"}.get(value, 400_000)])
        )
    if not isinstance(value, list):
        return value
    first, last = value
    least = 0 if first is None else first
    return data.draw(
        st.sampled_from([value, [least, last], last, [least, least], (least + last) // 2])
    )


def narrowed_span(value: Any, data: st.DataObject) -> Any:
    found = copy.deepcopy(value)
    begin, end = found["begin"], found["end"]
    if begin == "unknown":
        found["begin"] = data.draw(st.sampled_from(["unknown", end, [None, end], end // 2]))
    elif end == "unknown":
        found["end"] = data.draw(st.sampled_from(["unknown", "absent", begin, begin + DAY]))
    elif isinstance(begin, list):
        found["begin"] = data.draw(st.sampled_from([begin, begin[1], [0, begin[1]]]))
    return found


@MANY
@given(LAWS, CASES, st.randoms(use_true_random=False))
def test_the_order_of_items_matters_to_no_outcome(written: Any, case: Any, chance: Any) -> None:
    statute, _ = attempt(law, *written)
    if statute is not None:
        acts = [*case["acts"]]
        chance.shuffle(acts)
        one, other = (judged(statute, case["facts"], each) for each in (case["acts"], acts))
        assert one.outcome == other.outcome
        assert one.sections == other.sections


@MANY
@given(LAWS, CASES)
def test_the_same_law_and_facts_give_the_same_bytes_again(written: Any, case: Any) -> None:
    statute, _ = attempt(law, *written)
    if statute is not None:
        again = law(*written)
        one = judged(statute, case["facts"], case["acts"])
        assert format_judgement(one) == format_judgement(
            judged(again, case["facts"], case["acts"])
        )
        assert format_judgement(one) == format_judgement(
            judged(statute, case["facts"], case["acts"])
        )


@MANY
@given(LAWS, CASES)
def test_every_open_outcome_waits_for_a_fact_and_every_decided_one_has_its_changes(
    written: Any, case: Any
) -> None:
    statute, _ = attempt(law, *written)
    if statute is None:
        return
    judgement = judged(statute, case["facts"], case["acts"])
    assert bool(judgement.open_facts) is not judgement.decided
    if judgement.decided:
        wanted = changes(statute, judgement) or ()
        assert all(each.place or each.new_item for each in wanted)
