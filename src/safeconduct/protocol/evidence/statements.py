"""Who said what on a page: quoted speech and reported speech, each with its place in the text.

    “We define that there would be a certain date,” he added.
     ^-- said, from start to end ----------------^  ^- cue -^      speaker "Ilya Ponomarev"

Rules over punctuation and verbs of saying, no dictionary and no model: the same text yields the
same statements everywhere. What is found is a proposal with its place and cue; a human assessor
reads it there, and alone judges what it denounces. Words in scare quotes are no statements.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import Literal

from safeconduct.protocol.evidence.attribution import (
    ATTACK,
    CLAIM,
    DENY,
    PARTICIPLES,
    SAY,
    TELL,
    VERBS,
    Cue,
    Focus,
    read_cues,
    sentences,
)
from safeconduct.protocol.evidence.names import full_names, same_speaker
from safeconduct.protocol.evidence.page_text import PageText
from safeconduct.protocol.evidence.quotes import MASK, Quote, find_quotes, mask_quotes

__all__ = ["FINDER_VERSION", "Statement", "find_statements", "same_speaker"]

FINDER_VERSION = 1  # counts up with every change of these rules that can change what is found
QUOTED_WORDS_MIN = 6  # a shorter quote must be a whole utterance, else it is a scare quote
REPORTED_WORDS_MIN = 3
UNMARKED_WORDS_MIN = 4  # reported speech without "that"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What somebody said, `text[start:end]` of the kept text, and the words that tell who.

    `speaker` is a full name where the page gives one, and empty where the page does not tell.
    `cue` is empty where the speaker is carried over from what was said just before.
    """

    speaker: str
    said: str
    kind: Literal["quoted", "reported"]
    start: int
    end: int
    cue: str


_BEFORE_QUOTE = re.compile(rf"(?P<colon>[^{MASK}]{{0,80}}:)? ?|(?P<comma>,) ?")
_AFTER_QUOTE = re.compile(r"(?P<comma>,)? ?[—–-]? ?")
_INTRODUCES_NEXT = re.compile(rf"[^.!?{MASK}]{{0,80}}: ?")
_NEW_CLAUSE = re.compile(r"[,;—–]\s(?:and |but |while |whereas |though |yet )?$")
_CLAUSE_REST = re.compile(r"(?:[\s,;:.—–-]|\b(?:and|but|or|while|that|also|elsewhere)\b)+$")
_WORD = re.compile(r"\w+(?:[-’']\w+)*")
_NOT_SAID = " ,;"  # an editor's comma before the closing mark is not part of what was said


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tail:
    """What follows a verb of saying and makes the rest of the clause reported speech."""

    verbs: re.Pattern[str]
    pattern: re.Pattern[str]
    words_min: int = REPORTED_WORDS_MIN
    unmarked: bool = False


def _tail(verbs: str, pattern: str, words_min: int = REPORTED_WORDS_MIN) -> _Tail:
    return _Tail(verbs=re.compile(verbs), pattern=re.compile(pattern), words_min=words_min)


_TAILS = (
    _tail(DENY, rf"(?: [^,.;{MASK}]{{1,80}}, {PARTICIPLES} that)\b ", 1),
    _tail(TELL, r"(?: [\w’'-]{1,30}){1,6}? that\b "),
    _tail(VERBS, r",? that\b,? "),
    _tail(VERBS, r" (?=to (?:have|be)\b)"),
    _tail(DENY, r" (?=\w)", 1),
    _tail(ATTACK, r" (?=\w)", 2),
    _Tail(
        verbs=re.compile(f"{SAY}|{CLAIM}"),
        pattern=re.compile(r" (?=\w)"),
        words_min=UNMARKED_WORDS_MIN,
        unmarked=True,
    ),
)


def find_statements(page: PageText) -> tuple[Statement, ...]:
    """The quoted and reported statements of the article, in order of their place.

    The title is read for names only: a headline is the editor's wording. Offsets count
    characters of `page.text`, and `text[start:end] == said` for each.
    """
    focus = Focus(names=full_names(page.text))
    found: list[Statement] = []
    last, place = "", 0
    for paragraph in page.text.split("\n\n"):
        if place or not page.title:
            here = _read_paragraph(paragraph, focus, last)
            found += [replace(s, start=s.start + place, end=s.end + place) for s in here]
            last = here[-1].speaker if here else ""
        place += len(paragraph) + 2
    return _run_on(page.text, found)


def _run_on(text: str, found: list[Statement]) -> tuple[Statement, ...]:
    """Give a quotation that runs over paragraphs the one speaker that a part of it names."""
    joined = list(found)
    steps = [(place, place + 1) for place in range(len(found) - 1)]
    for here, following in steps:
        if not joined[following].speaker and _continues(text, joined[here], joined[following]):
            joined[following] = replace(joined[following], speaker=joined[here].speaker)
    for here, following in reversed(steps):
        if not joined[here].speaker and _continues(text, joined[here], joined[following]):
            joined[here] = replace(joined[here], speaker=joined[following].speaker)
    return tuple(joined)


def _continues(text: str, here: Statement, following: Statement) -> bool:
    """Whether `here` is never closed and the next paragraph opens with `following`."""
    between = text[here.end : following.start]
    return re.fullmatch(r"[ ,;]*\n\n[“\"«„]", between) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One paragraph with its quotes blotted out, its sentences and its cues."""

    paragraph: str
    masked: str
    sentences: list[tuple[int, int]]
    cues: list[Cue]

    def sentence(self, place: int) -> tuple[int, int]:
        return self.sentences[bisect_right(self.sentences, place, key=itemgetter(0)) - 1]

    def first_cue(self, place: int) -> int:
        """The number of the first cue that starts at or behind `place`."""
        return bisect_left(self.cues, place, key=attrgetter("start"))


def _read_paragraph(paragraph: str, focus: Focus, last: str) -> list[Statement]:
    quotes = find_quotes(paragraph)
    masked = mask_quotes(paragraph, quotes)
    reading = _Reading(
        paragraph=paragraph,
        masked=masked,
        sentences=sentences(masked),
        cues=read_cues(masked, quotes, focus),
    )
    quoted, used = _quoted(reading, quotes, last)
    reported = _reported(reading, quoted, used)
    return sorted([*quoted, *reported], key=lambda statement: statement.start)


def _quoted(
    reading: _Reading, quotes: tuple[Quote, ...], last: str
) -> tuple[list[Statement], set[int]]:
    """The quotes that are statements, and the places of the cues that introduce them."""
    found: list[Statement] = []
    used: set[int] = set()
    for place, quote in enumerate(quotes):
        following = quotes[place + 1] if place + 1 < len(quotes) else None
        cue, whole = _cue_of(reading, quote, following)
        goes_on = bool(found) or quote.start == 0
        whole = whole or (cue is None and goes_on and _stands_alone(reading, quote))
        if not whole and _words(reading, quote) < QUOTED_WORDS_MIN:
            continue  # scare quotes
        if cue is None and not goes_on:
            continue  # a title, a slogan: nobody says it here
        # A quote without its opening mark goes on from the paragraph before; no other does.
        before = last if quote.inner_start == quote.start else ""
        carried = found[-1].speaker if found else before
        used |= {cue.start} if cue else set()
        found.append(_statement(reading, quote, cue, carried))
    return found, used


def _cue_of(
    reading: _Reading, quote: Quote, following: Quote | None
) -> tuple[Cue | None, bool]:
    """The cue that introduces `quote`, and whether it marks a whole utterance."""
    before = _cue_before(reading, quote)
    gap = reading.masked[before.end : quote.start] if before else ""
    direct = _BEFORE_QUOTE.fullmatch(gap) if before else None
    if direct and direct["colon"]:
        return before, True
    after = _cue_after(reading, quote, following)
    if after:
        return after, not reading.masked[_start(reading, quote) : quote.start].strip()
    return before, bool(direct and direct["comma"])


def _start(reading: _Reading, quote: Quote) -> int:
    return reading.sentence(quote.start)[0]


def _cue_before(reading: _Reading, quote: Quote) -> Cue | None:
    start = _start(reading, quote)
    number = bisect_right(reading.cues, quote.start, key=attrgetter("end")) - 1
    return reading.cues[number] if number >= 0 and reading.cues[number].start >= start else None


def _cue_after(reading: _Reading, quote: Quote, following: Quote | None) -> Cue | None:
    """The cue that directly follows `quote`, unless it introduces the following quote."""
    number = reading.first_cue(quote.end)
    cue = reading.cues[number] if number < len(reading.cues) else None
    gap = _AFTER_QUOTE.fullmatch(reading.masked, quote.end, cue.start) if cue else None
    if cue is None or gap is None:
        return None
    last = reading.paragraph[quote.inner_start : quote.inner_end].rstrip()[-1:]
    if not gap["comma"] and last not in ",.!?…—–-":
        return None
    between = reading.masked[cue.end : following.start] if following else None
    if last in ".!?…" and between is not None and _INTRODUCES_NEXT.fullmatch(between):
        return None
    return cue


def _stands_alone(reading: _Reading, quote: Quote) -> bool:
    """Whether the quote is a sentence of its own, as after “…,” he said. “Never.”"""
    starts = not reading.masked[_start(reading, quote) : quote.start].strip()
    said = reading.paragraph[quote.inner_start : quote.inner_end].rstrip()
    return starts and said.endswith((".", "!", "?", "…"))


def _words(reading: _Reading, quote: Quote) -> int:
    return _count_words(reading.paragraph[quote.inner_start : quote.inner_end])


def _count_words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))


def _statement(reading: _Reading, quote: Quote, cue: Cue | None, carried: str) -> Statement:
    whole = reading.paragraph[quote.inner_start : quote.inner_end]
    start = quote.inner_start + len(whole) - len(whole.lstrip())
    said = whole.strip().rstrip(_NOT_SAID)
    return Statement(
        speaker=cue.speaker if cue else carried,
        said=said,
        kind="quoted",
        start=start,
        end=start + len(said),
        cue=reading.paragraph[cue.start : cue.end] if cue else "",
    )


def _reported(reading: _Reading, quoted: list[Statement], used: set[int]) -> list[Statement]:
    found: list[Statement] = []
    opened = covered = 0
    for cue in reading.cues:
        # A cue inside what somebody else is reported to say is part of that report.
        if cue.start < opened or (cue.start < covered and not _breaks(reading, cue)):
            continue
        statement = _around(reading, cue) if cue.whole else _after(reading, cue, used, quoted)
        if statement and not (cue.whole and cue.start in used):
            found.append(statement)
            opened, covered = statement.start, statement.end
    return found


def _breaks(reading: _Reading, cue: Cue) -> bool:
    """Whether `cue` begins a clause of its own."""
    before = reading.masked[max(0, cue.start - 12) : cue.start]
    return cue.participle or bool(_NEW_CLAUSE.search(before))


def _after(
    reading: _Reading, cue: Cue, used: set[int], quoted: list[Statement]
) -> Statement | None:
    """What the clause behind `cue` reports, up to a quoted statement or the next clause."""
    sentence_end = reading.sentence(cue.start)[1]
    opening, words_min = _opening(reading, cue, sentence_end, cue.start in used)
    limit = sentence_end
    number = bisect_right(quoted, opening, key=attrgetter("start"))
    if number < len(quoted):
        limit = min(limit, quoted[number].start - 1)
    for other in reading.cues[reading.first_cue(opening + 1) : reading.first_cue(limit)]:
        if _breaks(reading, other):
            limit = other.start
            break
    return _report(reading, cue, opening, limit, words_min)


def _opening(
    reading: _Reading, cue: Cue, sentence_end: int, quotes_too: bool
) -> tuple[int, int]:
    """Where the reported clause begins, and how many words it needs; at the end if nowhere."""
    if cue.participle:
        return cue.end, REPORTED_WORDS_MIN
    for tail in _TAILS:
        match = tail.pattern.match(reading.masked, cue.end, sentence_end)
        if match and tail.verbs.fullmatch(cue.verb) and not (tail.unmarked and quotes_too):
            return match.end(), tail.words_min
    return sentence_end, REPORTED_WORDS_MIN


def _around(reading: _Reading, cue: Cue) -> Statement | None:
    """The sentence that "according to …" or "As he said, …" stands in or beside."""
    start, end = reading.sentence(cue.start)
    before = _count_words(reading.masked[start : cue.start])
    after = _count_words(reading.masked[cue.end : end])
    if before < REPORTED_WORDS_MIN:
        start = cue.end
    elif not after:
        end = cue.start
    return _report(reading, cue, start, end, REPORTED_WORDS_MIN)


def _report(
    reading: _Reading, cue: Cue, start: int, end: int, words_min: int
) -> Statement | None:
    clause = _CLAUSE_REST.sub("", reading.paragraph[start:end])
    said = clause.lstrip(" ,;:—–-")
    start += len(clause) - len(said)
    if _count_words(said) < words_min:
        return None
    cue_end = start if cue.start < start and not cue.whole else cue.end
    return Statement(
        speaker=cue.speaker,
        said=said,
        kind="reported",
        start=start,
        end=start + len(said),
        cue=reading.paragraph[cue.start : cue_end].rstrip(" ,"),
    )
