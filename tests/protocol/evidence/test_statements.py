"""Who said what: the two real texts exactly, and one small case per rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.seed_texts import INSIDERS, INTERVIEW, seed_text

from safeconduct.protocol.evidence.names import full_names
from safeconduct.protocol.evidence.page_text import PageText, strip_boilerplate
from safeconduct.protocol.evidence.statements import (
    Statement,
    find_statements,
    same_speaker,
)

INTRODUCED = "Anton Weller, a clerk, left the port ministry.\n\n"
MINISTRY = "Russian Ministry of Defense"
PONOMAREV = "Ilya Ponomarev"

Told = tuple[str, str, str]

# A paragraph after the introduction of Anton Weller, and who is found to have said what in it.
CASES: dict[str, tuple[str, list[Told]]] = {
    "pronoun before, with a colon": (
        "He said: “I denounce it.”",
        [("Anton Weller", "quoted", "I denounce it.")],
    ),
    "pronoun after, and the comma is the editor's": (
        "“I denounce it,” he added.",
        [("Anton Weller", "quoted", "I denounce it")],
    ),
    "surname alone": ("Weller replied: “Never.”", [("Anton Weller", "quoted", "Never.")]),
    "verb before the name": (
        '"They lie," said Weller.',
        [("Anton Weller", "quoted", "They lie")],
    ),
    "a question keeps its mark": (
        "“Who signs?” Weller asked.",
        [("Anton Weller", "quoted", "Who signs?")],
    ),
    "broken off and taken up again": (
        "“It is untrue,” he said, “and he knows it.”",
        [
            ("Anton Weller", "quoted", "It is untrue"),
            ("Anton Weller", "quoted", "and he knows it."),
        ],
    ),
    "a second sentence after the attribution": (
        "“I will not,” the Harbour Inspector said. “Never.”",
        [
            ("Harbour Inspector", "quoted", "I will not"),
            ("Harbour Inspector", "quoted", "Never."),
        ],
    ),
    "the cue of the next quote is not this one's": (
        "“Nobody came.” He added: “Nobody will.”",
        [
            ("", "quoted", "Nobody came."),
            ("Anton Weller", "quoted", "Nobody will."),
        ],
    ),
    "a title with a name": (
        "The deputy harbour master, Maria Lund, said: “No.”",
        [("Maria Lund", "quoted", "No.")],
    ),
    "single marks do not close at an apostrophe": (
        "‘I don’t agree with it,’ said Weller.",
        [("Anton Weller", "quoted", "I don’t agree with it")],
    ),
    "scare quotes are no statements": (
        "He sent the “top-level” list of “favours” to the “influential” clerk.",
        [],
    ),
    "scare quotes beside a cue are no statements": (
        "When asked about these “favours” Weller revealed: “It is mostly news.”",
        [("Anton Weller", "quoted", "It is mostly news.")],
    ),
    "a book's title is no statement": ("The book “The Long Walk to the Wall” sold well.", []),
    "a claim beside a denial": (
        "While the Port Ministry claims to have closed the book, Weller denies this, saying"
        " that names are entered daily.",
        [
            ("Port Ministry", "reported", "to have closed the book"),
            ("Anton Weller", "reported", "names are entered daily"),
        ],
    ),
    "a body that contradicts itself": (
        "The port ministry is busy, at one point claiming that there is no book, and elsewhere"
        " saying that it was lost.",
        [
            ("port ministry", "reported", "there is no book"),
            ("port ministry", "reported", "it was lost"),
        ],
    ),
    "a public denunciation told by the paper": (
        "Weller publicly denounced the registration regime.",
        [("Anton Weller", "reported", "the registration regime")],
    ),
    "what somebody reports of another is theirs": (
        "Weller said that the ministry denied the charge.",
        [("Anton Weller", "reported", "the ministry denied the charge")],
    ),
    "according to": (
        "According to him, the book was never closed.",
        [("Anton Weller", "reported", "the book was never closed")],
    ),
    "closing mark only goes on from before": (
        "He stresses that it is so.\n\nNobody entered the port. It is us,” and they are “going"
        " to succeed in closing the book”",
        [
            ("Anton Weller", "reported", "it is so"),
            ("Anton Weller", "quoted", "Nobody entered the port. It is us"),
            ("Anton Weller", "quoted", "going to succeed in closing the book"),
        ],
    ),
    "a paragraph of speech that nobody is named for": (
        "“It was raining on the harbour all that day.”",
        [("", "quoted", "It was raining on the harbour all that day.")],
    ),
    "speech that runs over paragraphs": (
        "Weller said: “One part.\n\n“Another part.”",
        [("Anton Weller", "quoted", "One part."), ("Anton Weller", "quoted", "Another part.")],
    ),
    "a form of address tells he from she": (
        "Ms Maria Lund resigned. Mr Weller said: “I stay.” “So do I,” she said.",
        [("Anton Weller", "quoted", "I stay."), ("Maria Lund", "quoted", "So do I")],
    ),
}


def _told(text: str) -> list[Told]:
    page = PageText(title="", text=text)
    return [(s.speaker, s.kind, s.said) for s in find_statements(page)]


@pytest.mark.parametrize(("text", "told"), CASES.values(), ids=CASES.keys())
def test_statements_of_a_paragraph(text: str, told: list[Told]) -> None:
    assert _told(INTRODUCED + text) == told


def test_a_pronoun_without_anybody_before_it_names_nobody() -> None:
    assert _told("He said: “I denounce it.”") == [("", "quoted", "I denounce it.")]


def test_a_surname_of_two_people_stays_a_surname() -> None:
    text = "Anton Weller came. Berta Weller came.\n\nWeller said: “I denounce it.”"
    assert _told(text) == [("Weller", "quoted", "I denounce it.")]


def test_the_headline_is_the_editors_wording_and_no_statement() -> None:
    page = strip_boilerplate("“I denounce it all, every name,” says Weller\n\nHe left.")
    assert page.title
    assert find_statements(page) == ()


def _real(name: str) -> tuple[PageText, tuple[Statement, ...]]:
    page = strip_boilerplate(seed_text(name))
    return page, find_statements(page)


def test_all_that_is_quoted_in_the_first_real_text() -> None:
    _, found = _real(INSIDERS)
    assert [(s.speaker, s.said, s.cue) for s in found if s.kind == "quoted"] == [
        (
            PONOMAREV,
            "I don’t trust them at all, and they don’t trust me either. But for them, it’s a"
            " sort of insurance policy.",
            "He said",
        ),
        (
            PONOMAREV,
            "Mostly it is information. They love to frame each other. But sometimes we receive"
            " invaluable tips.",
            "Ponomarev revealed",
        ),
        (
            PONOMAREV,
            "We define that there would be a certain date which would be fixed, and people who"
            " before that date helped the resistance movement or publicly denounced that regime"
            " would be acquitted from our registration",
            "he added",
        ),
    ]
    assert {s.speaker for s in found} == {PONOMAREV}


def test_all_that_is_quoted_in_the_second_real_text() -> None:
    _, found = _real(INTERVIEW)
    assert [(s.speaker, s.said, s.cue) for s in found if s.kind == "quoted"] == [
        (
            PONOMAREV,
            "Not a single Ukrainian soldier entered Russian Federation. It’s just Russians",
            "",
        ),
        (
            PONOMAREV,
            "going to be succeeding in liberating Russia, waving the white-blue-white flag"
            " [symbol of anti-Putin dissidents] on the liberated territory and building a new"
            " country",
            "",
        ),
        (PONOMAREV, "Obviously, the whole statehood of Russia starts to crumble", "he said"),
        (
            PONOMAREV,
            "we have already received a lot of requests to join the legion to join the Russian"
            " Volunteer Corps, and it’s very inspiring for a lot of young Russians.",
            "Ponomarev said",
        ),
        (
            PONOMAREV,
            "This shows the fundamental weakness of the regime. Nobody is ready to fight for"
            " it",
            "he said",
        ),
    ]


def test_the_ministrys_claim_and_the_denial_stand_side_by_side() -> None:
    _, found = _real(INTERVIEW)
    reported = [(s.speaker, s.cue, s.said) for s in found if s.kind == "reported"]
    claim = reported.index(
        (
            MINISTRY,
            "the Russian Ministry of Defense claims",
            "to have killed several dozens of these fighters and pushed them back into Ukraine",
        )
    )
    assert reported[claim + 1] == (
        PONOMAREV,
        "Ilya Ponomarev denies this, saying that",
        "the Freedom of Russia Legion and Russian Volunteer Corps are continuing to liberate"
        " more villages",
    )


def test_contradictory_messages_of_one_body_are_found_as_two() -> None:
    _, found = _real(INTERVIEW)
    assert [s.said for s in found if s.speaker == "Kremlin propaganda machine"] == [
        "these are Ukrainian saboteurs",
        "these are Russians but “not real Russians”, or that “Russians shouldn’t fight"
        " Russians”",
    ]


@pytest.mark.parametrize("name", [INSIDERS, INTERVIEW])
def test_offsets_in_the_real_texts_point_at_what_was_said(name: str) -> None:
    page, found = _real(name)
    assert [page.text[s.start : s.end] for s in found] == [s.said for s in found]
    assert [s.start for s in found] == sorted(s.start for s in found)


WORDS = st.sampled_from(
    ["“", "”", '"', "‘", "’", "he", "Anton", "Weller", ",", ".", "that", "the", ":",
     "said", "inspector", "denies", "this", "According", "to", "\n\n", "claiming", "?"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_yields_statements_that_stand_where_they_say(text: str) -> None:
    page = PageText(title="", text=text)
    for statement in find_statements(page):
        assert statement.said
        assert text[statement.start : statement.end] == statement.said
    find_statements(strip_boilerplate(text))


def test_full_names_are_taken_from_the_text_and_titles_are_not_names() -> None:
    text = "President Anton Weller met the Port Ministry and Berta von Ahlen of Kestrel Sound."
    names = full_names(text)
    assert names["Weller"] == "Anton Weller"
    assert names["Ahlen"] == "Berta von Ahlen"
    assert "Ministry" not in names


SAME_SPEAKER = {
    "the same name": ("Anton Weller", "Anton Weller", "same"),
    "another case and a title": ("ANTON WELLER", "Mr Anton Weller", "same"),
    "accents": ("Zoë Müller", "Zoe Muller", "same"),
    "surname first, with a comma": ("Weller, Anton", "Anton Weller", "same"),
    "a role with its article": ("the Harbour Inspector", "Harbour Inspector", "same"),
    "a surname alone": ("Weller", "Anton Weller", "unsure"),
    "an initial": ("A. Weller", "Anton Weller", "unsure"),
    "a middle name": ("Anton J. Weller", "Anton Weller", "unsure"),
    "another spelling": ("Ilya Ponomaryov", "Ilya Ponomarev", "unsure"),
    "surname first, without a comma": ("Weller Anton", "Anton Weller", "unsure"),
    "a role beside a name": ("Harbour Inspector", "Anton Weller", "unsure"),
    "nobody": ("", "Anton Weller", "unsure"),
    "another person": ("Maria Lund", "Anton Weller", "different"),
    "a relative": ("Berta Weller", "Anton Weller", "different"),
    "a person beside a body": ("Port Ministry", "Anton Weller", "different"),
}


@pytest.mark.parametrize(("a", "b", "judgement"), SAME_SPEAKER.values(), ids=SAME_SPEAKER)
def test_whether_two_names_mean_one_speaker(a: str, b: str, judgement: str) -> None:
    assert same_speaker(a, b) == judgement
    assert same_speaker(b, a) == judgement
