"""How long it takes to look somebody up by name among 100,000 persons in four scripts.

The index is the register's own. Beside it, in the same run, on the same names and queries:
`LIKE '%…%'` in SQLite, which is what a register does that thinks of nothing better. How many
of those looked for each of the two finds is told as well: finding nobody is quickly done.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from rigour.text.translit import ascii_text

from benchmarks.measure import Course, Figure, Report, at_most, beside, figure, main, timed
from safeconduct.plumbing.names import NameIndex, prepare

RUNS = 3
HITS = 20  # as many as a page of the register shows
_PERSONS, _QUERIES = 100_000, 200
_MILLISECONDS_MAX = 50
_MIB = 1 << 20
_ADDED, _LATER = 1_000, "Later"  # names added to the full index, and what makes them new

# Given names, and beginnings and ends of family names, by script.
_SCRIPTS = (
    (
        "Adam Agata Bernd Björn Carla Chloé Danuta Diego Emil Erika Fabio Gertrud Hana Hugo "
        "Inês Jakub Jürgen Karolína Łucja Marek Márta Nadia Oskar Petra Quentin Rósa Stefan "
        "Tomáš Ulrike Vera Wiktor Yvonne Zoë Ivan Ottilie Xavier Lech Beata Nils Aino",
        "Albr Bak Čern Dąbrow Erik Fern Garc Hoff Ion Jens Kowal Lind Müll Nov Orl Petr Quer "
        "Ross Schröd Šim Tóth Urb Verm Well Yilm Ziel Kov Pop Mart Hadž Brand Falk Grün Strz",
        "ski czyk enko ová sen mann berg stein ić escu etti ez ak er sson wicz",
    ),
    (
        "Александр Анна Борис Валентина Виктор Владимир Галина Григорий Дарья Евгений "
        "Екатерина Зоя Иван Ирина Кирилл Лев Людмила Максим Надежда Николай Оксана Павел "
        "Роман Светлана Сергей Тарас Ульяна Фёдор Юлия Ярослав",
        "Петр Иван Смирн Кузнец Поп Шевч Коваль Бондар Сокол Лебед Мельн Козл Нов Мороз Волк "
        "Солов Васил Зайц Павл Семён Голуб Виноград Богдан Вороб Фёдор Михайл Бел Тарас",
        "енко ов ова ев ин ина ский ская чук юк ец ич енков овский",
    ),
    (
        "Αλέξανδρος Ανδρέας Βασιλική Γεώργιος Δήμητρα Ελένη Ευάγγελος Ζωή Θεόδωρος Ιωάννης "
        "Κατερίνα Κωνσταντίνος Λυδία Μαρία Νικόλαος Ξένια Όλγα Παναγιώτης Ρένα Σοφία Σταύρος "
        "Τάσος Φωτεινή Χρήστος",
        "Παπαδ Γεωργ Δημητρ Οικονομ Παππ Βασιλ Νικολ Μακρ Ιωανν Καραγιανν Αντων Αλεξ Κωστ "
        "Λαμπρ Μιχαηλ Σαμαρ Τσιρ Χατζ Ζαφειρ Φωτ Μαυρ Κοντ",
        "όπουλος ίδης άκης άτος ίου έας ώνης άκος",
    ),
    (
        "محمد أحمد علي حسن حسين فاطمة عائشة خالد عمر يوسف إبراهيم مريم سارة مصطفى طارق ليلى "
        "نور كريم زينب هدى سامي رشيد جمال سلمى وليد ياسمين ماهر رنا",
        "الأحمد الحسن العلي المصر الشام الخطيب النجار الحداد البغداد التميم القاسم الصالح "
        "الجبور العطار الرفاع السيد المغرب الحلب الكرد الزهران السالم الناصر الفارس البكر",
        "ي اوي اني ين ية ان ات",
    ),
)

Look = Callable[[str], Sequence[str]]


def people(count: int) -> list[tuple[str, str]]:
    """Register numbers and names, a quarter in each script; as in life, some share a name."""
    chance = Random(6)
    return [(f"r-{number:06}", _name(chance, number % 4)) for number in range(count)]


def _name(chance: Random, script: int) -> str:
    given, stems, ends = (words.split() for words in _SCRIPTS[script])
    parts = [chance.choice(given), chance.choice(stems) + chance.choice(ends)]
    if chance.random() < 0.5:
        parts.insert(1, chance.choice(given))
    return " ".join(parts)


def queries(found: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """What is typed, and the name that is meant: as written, in Latin letters, with a letter
    left out, family name first; a quarter each.
    """
    chance = Random(7)
    return [
        (_TYPED[number % 4](chance, name), name)
        for number, (_, name) in enumerate(chance.sample(list(found), count))
    ]


def _with_a_slip(chance: Random, name: str) -> str:
    at = chance.randrange(1, len(name))
    return name[:at] + name[at + 1 :]


def _turned(_: Random, name: str) -> str:
    *given, family = name.split()
    return " ".join([family, *given])


_TYPED: tuple[Callable[[Random, str], str], ...] = (
    lambda _, name: name,
    lambda _, name: ascii_text(name),
    _with_a_slip,
    _turned,
)


def benchmark(course: Course) -> Report:
    """Build both, put every query to both in turns, and tell how long each took."""
    found = people(course.scaled(_PERSONS, quick=5_000))
    asked = queries(found, course.scaled(_QUERIES, quick=40))
    loading_seconds, _ = timed(prepare)
    before = _resident_bytes()
    index_seconds, index = timed(lambda: NameIndex((key, [name]) for key, name in found))
    grown = _resident_bytes() - before
    table_seconds, table = timed(lambda: _table(course.folder / "names.sqlite", found))
    looks: dict[str, Look] = {
        "index": lambda query: [hit.name for hit in index.search(query, HITS)],
        "LIKE": lambda query: _like(table, query),
    }
    figures: dict[str, Figure] = {}
    for name, look in looks.items():
        for figured in _measured(name, look, asked, course.scaled(RUNS, quick=1)):
            figures[figured.what] = figured
    table.close()
    more = [f"{name} {_LATER}" for _, name in found[:_ADDED]]
    added_seconds, _ = timed(lambda: _add(index, more))
    built = (
        figure("index: the names of the world loaded in", "s", [loading_seconds]),
        figure("index: built in", "s", [index_seconds]),
        figure("index: memory", "MiB", [grown / _MIB]),
        figure("index: one name added to it", "ms", [1_000 * added_seconds / _ADDED]),
        figure("LIKE: table filled in", "s", [table_seconds]),
    )
    p95, greatest = figures["index: p95"], figures["index: max"]
    return Report(
        name="search",
        title=f"{len(asked)} queries by name among {len(found)} persons in four scripts",
        figures=(*figures.values(), *built),
        ratios=(
            at_most(p95.what, p95.value, _MILLISECONDS_MAX, " ms"),
            at_most(greatest.what, greatest.value, _MILLISECONDS_MAX, " ms"),
            beside(figures["index: p50"], figures["LIKE: p50"]),
            beside(p95, figures["LIKE: p95"]),
            beside(greatest, figures["LIKE: max"]),
            beside(figures["index: finds"], figures["LIKE: finds"]),
        ),
        bound="comparing the likeliest names part by part, in the interpreter",
    )


def _measured(
    name: str, look: Look, asked: Sequence[tuple[str, str]], runs: int
) -> list[Figure]:
    """Median, 95th percentile and greatest of all queries, in ms; and the share found."""
    spread: dict[str, list[float]] = {"p50": [], "p95": [], "max": []}
    shares: list[float] = []
    for _ in range(runs):
        taken, right = [], 0
        for query, meant in asked:
            start = time.perf_counter()
            hits = look(query)
            taken.append(1_000 * (time.perf_counter() - start))
            right += meant in hits
        taken.sort()
        for what, place in (("p50", 0.5), ("p95", 0.95), ("max", 1)):
            spread[what].append(taken[min(len(taken) - 1, int(place * len(taken)))])
        shares.append(100 * right / len(asked))
    times = [figure(f"{name}: {what}", "ms", values) for what, values in spread.items()]
    return [*times, figure(f"{name}: finds", "% of queries", shares)]


def _table(path: Path, found: Sequence[tuple[str, str]]) -> sqlite3.Connection:
    table = sqlite3.connect(path)
    with table:
        table.execute("CREATE TABLE names (key TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT")
        table.executemany("INSERT INTO names VALUES (?, ?)", found)
    return table


def _like(table: sqlite3.Connection, query: str) -> list[str]:
    asked = "SELECT name FROM names WHERE name LIKE ? ESCAPE '!' LIMIT ?"
    escaped = "".join(f"!{each}" if each in "!%_" else each for each in query)
    return [str(name) for (name,) in table.execute(asked, (f"%{escaped}%", HITS))]


def _add(index: NameIndex, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        index.add(f"later-{number}", (name,))


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(Path(__file__).stem, benchmark)
