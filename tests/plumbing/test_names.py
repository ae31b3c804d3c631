"""Names are found across scripts and slips of the pen; a hostile name does no harm."""

import pytest

from safeconduct.errors import RefusedError
from safeconduct.plumbing import names
from safeconduct.plumbing.names import QUERY_CHARACTERS_MAX, NameIndex

PEOPLE = [
    ("r-1", ["Владимир Петров"]),
    ("r-2", ["محمد الأحمد"]),
    ("r-3", ["Αλέξης Παπαδόπουλος"]),
    ("r-4", ["Anton Weller", "Toni Weller"]),
    ("r-5", ["Łukasz Żółć"]),
    ("r-6", ["Berta Wiesel"]),
]
FOUND = {
    "the name itself": ("Anton Weller", "r-4"),
    "family name first": ("Weller, Anton", "r-4"),
    "another name of the same person": ("Toni Weller", "r-4"),
    "two letters missing": ("Antn Weler", "r-4"),
    "without marks": ("Lukasz Zolc", "r-5"),
    "Cyrillic, asked in English letters": ("Vladimir Petrov", "r-1"),
    "Cyrillic, asked in Polish letters": ("Wladimir Petrow", "r-1"),
    "Greek, asked in Latin letters": ("Alexis Papadopoulos", "r-3"),
    "Greek, asked in Cyrillic letters": ("Алексис Пападопулос", "r-3"),
    "Arabic, asked in Latin letters": ("Muhammad al-Ahmad", "r-2"),
    "Arabic, asked in Cyrillic letters": ("Мохаммед аль-Ахмад", "r-2"),
    "Latin, asked in Cyrillic letters": ("Антон Веллер", "r-4"),
    "with marks that turn the reading direction": ("\u202eAnton\u202c Weller", "r-4"),
}


@pytest.fixture(scope="module")
def index() -> NameIndex:
    return NameIndex(PEOPLE)


@pytest.mark.parametrize(("query", "key"), list(FOUND.values()), ids=list(FOUND))
def test_a_name_is_found_however_it_is_written(index: NameIndex, query: str, key: str) -> None:
    assert [hit.key for hit in index.search(query)][:1] == [key]


def test_the_likest_comes_first_and_each_person_once(index: NameIndex) -> None:
    hits = index.search("Anton Weller")
    assert hits[0].likeness == 1
    assert len({hit.key for hit in hits}) == len(hits)
    found = [hit.likeness for hit in hits]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("query", ["Zoe Quark", "x" * QUERY_CHARACTERS_MAX])
def test_a_name_like_nobodys_finds_nobody(index: NameIndex, query: str) -> None:
    assert index.search(query) == []


@pytest.mark.parametrize("query", ["", "…", "\u202e\u200b", "x" * (QUERY_CHARACTERS_MAX + 1)])
def test_what_is_no_name_is_refused(index: NameIndex, query: str) -> None:
    with pytest.raises(RefusedError):
        index.search(query)


def test_a_hostile_name_is_indexed_without_harm() -> None:
    hostile = [
        "a" * 10_000,
        "\u202e" * 300,
        "ب" * 10_000,
        "a b " * 2_500,
        "'; DROP TABLE x",
        "",
    ]
    index = NameIndex([(f"h-{n}", [name]) for n, name in enumerate(hostile)] + PEOPLE)
    assert index.search("Anton Weller")[0].key == "r-4"


def test_nobody_is_found_in_an_empty_register() -> None:
    assert NameIndex([]).search("Anton Weller") == []


def test_a_name_that_is_added_later_is_found_and_so_is_each_of_its_bearers() -> None:
    index = NameIndex(PEOPLE)
    assert index.search("Dora Unger") == []
    index.add("r-7", ["Dora Unger"])
    index.add("r-8", ["Dora Unger", "Dora Ungar"])
    index.add("r-8", ["Dora Unger"])
    assert [hit.key for hit in index.search("Dora Unger")][:2] == ["r-7", "r-8"]
    hits = [(hit.key, hit.name) for hit in index.hits("Dora Unger")]
    assert hits[:2] == [("r-7", "Dora Unger"), ("r-8", "Dora Unger")]
    assert ("r-8", "Dora Ungar") in hits


def test_the_work_of_one_search_is_bounded_and_what_is_rare_is_looked_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = NameIndex([(f"k-{number}", [f"Anna Kowal{number}"]) for number in range(200)])
    index.add("r-9", ["Anna Szczepanik"])
    monkeypatch.setattr(names, "_HOLDERS_MAX", 60)
    assert index.search("Anna Szczepanik")[0].key == "r-9"
    asked = names._taken_apart("Anna Kowal")
    assert len(index._candidates(asked)) <= names._COMPARED_MAX
