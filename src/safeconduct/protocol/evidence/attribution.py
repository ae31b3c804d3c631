"""Cues: the words on a page that name a speaker, and whom names and pronouns mean there.

    Ilya Ponomarev, a politician, … He said: “…”     cue "He said", speaker "Ilya Ponomarev"
    the Harbour Inspector denies this, saying that   cue, speaker "Harbour Inspector"

A surname means the full name the page gives; "he" and "she" mean the last person who did or
said something and whom no form of address excludes; "it" the last body that said something.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from safeconduct.protocol.evidence.names import (
    PERSON,
    PRONOUNS,
    ROLE,
    ROLE_LAZY,
    clean_name,
    is_body,
    is_person,
    pronoun_of,
)
from safeconduct.protocol.evidence.quotes import MASK, Quote

SAY = "said|says|say|stated|insisted|insists|maintained|maintains|alleged|alleges|alleging"
CLAIM = "claimed|claims|claim|argued|argues|explained|explains|believes|believed"
TELL = "told|tells|informed|assured|reminded|warned|warns"
DENY = "denied|denies|deny|rejected|rejects|reject|disputed|disputes|refuted|refutes"
ATTACK = (
    "denounced|denounces|denounce|condemned|condemns|condemn|criticised|criticises|criticized|"
    "criticizes|accused|accuses|accuse|attacked|attacks"
)
_OTHER = (
    "added|adds|announced|announces|declared|declares|stressed|stresses|revealed|reveals|"
    "disclosed|discloses|wrote|writes|asked|asks|replied|replies|answered|answers|admitted|"
    "admits|conceded|concedes|continued|continues|noted|notes|remarked|observed|recalled|"
    "recalls|confirmed|confirms|emphasised|emphasized|emphasises|emphasizes|concluded|"
    "concludes|testified|testifies|acknowledged|acknowledges|complained|"
    "complains|pointed out|points out|suggested|shouted|posted|tweeted|predicted|joked|"
    "called|calls|described|describes"
)
VERBS = f"(?:{SAY}|{CLAIM}|{TELL}|{DENY}|{ATTACK}|{_OTHER})"
PARTICIPLES = (
    "(?:saying|claiming|adding|denying|alleging|insisting|stressing|arguing|warning|declaring|"
    "explaining|noting)"
)
_GAP = r"(?: (?:also|further|later|then|again|now|has|had|have|once|\w{2,15}ly)){0,3}"
_PRONOUN = rf"(?i:{'|'.join(sorted(PRONOUNS, key=len, reverse=True))})"
_SUBJECT = (
    rf"(?:(?P<pronoun>{_PRONOUN})\b"
    rf"|(?P<person>{PERSON})(?:, [^,{MASK}]{{1,140}},)?"
    rf"|(?P<role>{ROLE_LAZY})(?:, (?P<named>{PERSON}),)?)"
)
_OBJECT = (
    rf"(?:(?P<pronoun>{_PRONOUN})\b"
    rf"|(?P<role>{ROLE})(?:, (?P<named>{PERSON}))?"
    rf"|(?P<person>{PERSON}))"
)

_ATTRIBUTION = re.compile(rf"(?<!\w)(?P<as>[Aa]s )?{_SUBJECT}{_GAP} (?P<verb>{VERBS})\b")
_INVERTED = re.compile(rf"[,—–-]? ?(?P<cue>(?P<verb>{VERBS}) {_OBJECT})")
_ACCORDING = re.compile(rf"\b[Aa]ccording to {_OBJECT}")
_PARTICIPLE = re.compile(rf"\b{PARTICIPLES} that\b")
_MAIN_SUBJECT = re.compile(
    rf"(?:(?:While|But|And|Yet) )?{_OBJECT}"
    r"(?= (?:is|are|was|were|has|have|had|keeps?|continues?|tries|tried|try)\b)"
)
_PERSON_ACTS = re.compile(
    rf"(?<!\w)(?P<person>{PERSON})(?=,? (?:who|whose)\b|, (?:an?|the|now|\d+)\b"
    rf"|{_GAP} (?:has|had|is|was|will|would|did|told|said|[a-z]+ed|[a-z]+s)\b)"
)

_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Gen|Col|Lt|Sen|Rep|No|vs|cf)|\be\.g|\bi\.e|\b[A-Z])\.$"
)
_SENTENCE_GAP = re.compile(rf"(?<=[.!?…])[\"”’»)]* +(?=[^\Wa-z_]|[\"“«„‘'({MASK}])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Words that name a speaker: "he added", "according to Ponomarev", "saying that"."""

    start: int
    end: int
    speaker: str
    verb: str
    participle: bool = False  # "claiming that", whose speaker is the sentence's
    whole: bool = False  # stands beside what is said, as "according to …" and "As he said" do


@dataclass(slots=True)
class Focus:
    """Whom names and pronouns mean at this point of the page."""

    names: dict[str, str]
    people: dict[str, str] = field(default_factory=dict)  # name to pronoun, latest mention last
    body: str = ""

    def of(self, match: re.Match[str]) -> str:
        """The speaker that a cue names, who is then the last one spoken of."""
        groups = match.groupdict()
        if pronoun := groups.get("pronoun"):
            return self._meant_by(PRONOUNS[pronoun.lower()])
        written = groups.get("named") or groups.get("person") or groups["role"]
        name = self.full(written)
        self.mention(name, pronoun_of(written))
        return name

    def full(self, written: str) -> str:
        """The full name behind a surname met before; else the name as written."""
        name = clean_name(written)
        known = self.names.get(name.rsplit(" ", 1)[-1], name)
        return known if " " not in name or name.endswith(known) else name

    def mention(self, name: str, pronoun: str = "") -> None:
        """Note that the text has just spoken of `name`, whom a pronoun may now mean."""
        if is_body(name):
            self.body = name
        else:
            known = self.people.pop(name, "")
            self.people[name] = pronoun or known

    def _meant_by(self, pronoun: str) -> str:
        if pronoun == "it":
            return self.body
        for name in reversed(self.people):
            if pronoun == "they" or self.people[name] in ("", pronoun):
                self.mention(name, "" if pronoun == "they" else pronoun)
                return name
        return self.body if pronoun == "they" else ""


def sentences(masked: str) -> list[tuple[int, int]]:
    """The sentences of a masked paragraph as (start, end); abbreviations do not end one."""
    spans, start = [], 0
    for gap in _SENTENCE_GAP.finditer(masked):
        if not _ABBREVIATION.search(masked, max(0, gap.start() - 6), gap.start()):
            spans.append((start, gap.start()))
            start = gap.end()
    return [*spans, (start, len(masked))]


def read_cues(masked: str, quotes: tuple[Quote, ...], focus: Focus) -> list[Cue]:
    """The cues of a masked paragraph in order, each with its speaker as `focus` knows them."""
    cues: list[Cue] = []
    ends = [quote.end for quote in quotes]
    for start, end in sentences(masked):
        first, last = bisect_left(ends, start), bisect_right(ends, end)
        matches = [
            *_matches(_ATTRIBUTION, masked, start, end),
            *_matches(_ACCORDING, masked, start, end),
            *_matches(_PARTICIPLE, masked, start, end),
            *_matches(_PERSON_ACTS, masked, start, end),
            *(
                found
                for place in ends[first:last]
                if (found := _INVERTED.match(masked, place, end))
            ),
        ]
        cues += _sentence_cues(masked, start, matches, focus)
    return cues


def _matches(
    pattern: re.Pattern[str], masked: str, start: int, end: int
) -> Iterator[re.Match[str]]:
    return pattern.finditer(masked, start, end)


def _sentence_cues(
    masked: str, start: int, matches: list[re.Match[str]], focus: Focus
) -> Iterator[Cue]:
    speaker, covered = "", start
    for match in sorted(matches, key=lambda match: (match.start(), -match.end())):
        if match.re is _PERSON_ACTS:
            name = focus.full(match["person"])
            if is_person(name):
                focus.mention(name, pronoun_of(match["person"]))
            continue
        if match.start() < covered:
            continue
        covered = match.end()
        if match.re is _PARTICIPLE:
            speaker = speaker or _main_subject(masked, start, match.start(), focus)
        else:
            speaker = focus.of(match)
        yield _cue(match, speaker)


def _main_subject(masked: str, start: int, end: int, focus: Focus) -> str:
    """The subject of "The ministry is trying …, claiming that": it opens the sentence."""
    match = _MAIN_SUBJECT.match(masked, start, end)
    return focus.of(match) if match else ""


def _cue(match: re.Match[str], speaker: str) -> Cue:
    named = match.groupdict()
    start = match.start("cue") if "cue" in named else match.start()
    return Cue(
        start=start,
        end=match.end(),
        speaker=speaker,
        verb=named.get("verb") or match.group().split(" ", 1)[0].lower(),
        participle=match.re is _PARTICIPLE,
        whole=match.re is _ACCORDING or bool(named.get("as")),
    )
