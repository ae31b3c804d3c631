"""The article in a plain-text scrape, and what was left out of it, each piece with its reason.

    You are here                     dropped   "navigation"
    Home > News > The Harbour Log    dropped   "navigation"
    The Harbour Log                  title
    Anton Weller said: “…”           paragraph
    Leave a Reply                    dropped   "comment form"

A rule looks at one whole line and at most at its neighbours. Every neighbour a rule takes hangs
on a marker line that is dropped too, so stripping a stripped text changes nothing.
"""

import re
from dataclasses import dataclass
from typing import Literal

BOILERPLATE_CHARS_MAX = 300  # a longer line is a paragraph, whatever it begins with
HEADLINE_CHARS_MAX = 200
TEASERS_MAX = 40  # headlines that one marker may take with it

INVISIBLE = "invisible characters, which can make a line read otherwise than it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """One piece that is not part of the article, as it stood, and why it was left out."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """A page's article: paragraphs joined by an empty line, with the headline first if any.

    `title` is the first paragraph of `text` or empty; `dropped` is in page order.
    """

    title: str
    text: str
    dropped: tuple[Dropped, ...] = ()


_Takes = Literal["itself", "headline above", "headline below", "headlines below"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    pattern: re.Pattern[str]
    reason: str
    takes: _Takes = "itself"


def _rule(pattern: str, reason: str, takes: _Takes = "itself") -> _Rule:
    return _Rule(pattern=re.compile(pattern, re.IGNORECASE), reason=reason, takes=takes)


# Every pattern must match the whole line: a sentence that only begins like one of these stays.
_RULES = (
    _rule(r"you are here:?", "navigation: where the reader stands on the site"),
    _rule(r"(home|front page|start)\s*[>»›→/|]\s*\S.*", "navigation: path from the front page"),
    _rule(r"(skip to (main )?content|menu|search|back to top)", "navigation: page controls"),
    _rule(r"(leave a (reply|comment)|post a comment|add your comment)", "comment form"),
    _rule(r"(cancel reply|log in to (reply|leave a comment)\W*)", "comment form"),
    _rule(r"your e-?mail address will not be published\W*.{0,60}", "comment form"),
    _rule(r"required fields are marked\s*\W*", "comment form"),
    _rule(r"(\d{1,6}|no) comments?( yet)?\W*", "comment counter"),
    _rule(r"this site uses akismet.{0,200}", "comment notice: spam filter"),
    _rule(r"learn how your comment data is processed\W*", "comment notice: spam filter"),
    _rule(r"(we|this (web)?site) uses? cookies\b.{0,250}", "cookie notice of the site"),
    _rule(r"(accept|reject|manage)( all)? cookies\W*", "cookie notice of the site"),
    _rule(
        r"(previous|next|older|newer) (story|article|post)\W*",
        "link to another story",
        "headline below",
    ),
    _rule(
        r"(latest|more|most read) (from|in|on) [^.,:;“\"]{1,40}",
        "list of other stories",
        "headlines below",
    ),
    _rule(
        r"(related (articles?|stories|posts)|you (may|might) also like|read next|most read)\W*",
        "list of other stories",
        "headlines below",
    ),
    _rule(r"(see|read|show) more\W*", "teaser of another story", "headline above"),
    _rule(r"(read more|see also|related|also read)\s*:\s*\S.{0,200}", "link to another story"),
    _rule(r"watch the full (interview|video|programme)\b.{0,80}", "teaser of a recording"),
    _rule(
        r"(share (this|on|via)\b[^.,:;“\"]{0,30}|tweet|print|e-?mail this[^.,“\"]{0,20})",
        "sharing buttons",
    ),
    _rule(r"(advertisement|sponsored( content)?|promoted)\W*", "advertisement"),
    _rule(
        r"(subscribe|sign up)\b.{0,60}\b(newsletter|updates?|channel|inbox)\b.{0,60}",
        "subscription appeal",
    ),
    _rule(r"follow us on \S.{0,80}", "subscription appeal"),
    _rule(r"(copyright\s+)?(©|\(c\)|copyright\s+\d{4}).{0,150}", "copyright line"),
    _rule(r"all rights reserved\W*", "copyright line"),
)

# Controls, the byte-order mark, soft hyphens, zero-width and direction-changing characters.
# The joiners U+200C and U+200D stay: several scripts cannot be written without them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad"
    "\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_SENTENCE_END = re.compile(r"[.…:;,][\"'”’»)\]]*$")


def strip_boilerplate(text: str) -> PageText:
    """The article in `text`, and every piece left out of it with its reason.

    Lines become paragraphs and runs of blanks one blank. Stripping `PageText.text` again
    changes nothing and drops nothing. Any text is accepted.
    """
    visible, dropped = _take_invisible(text)
    lines = [" ".join(line.split()) for line in visible.splitlines()]
    lines = [line for line in lines if line]
    reasons = _judge(lines)
    kept = [line for line, reason in zip(lines, reasons, strict=True) if not reason]
    dropped += [
        Dropped(text=line, reason=reason)
        for line, reason in zip(lines, reasons, strict=True)
        if reason
    ]
    title = kept[0] if kept and is_headline(kept[0]) else ""
    return PageText(title=title, text="\n\n".join(kept), dropped=tuple(dropped))


def is_headline(line: str) -> bool:
    """Whether `line` is short and ends like no sentence does; `?` and `!` end headlines too."""
    return len(line) <= HEADLINE_CHARS_MAX and not _SENTENCE_END.search(line)


def _take_invisible(text: str) -> tuple[str, list[Dropped]]:
    found = sorted(set(_INVISIBLE.findall(text)))
    if not found:
        return text, []
    names = " ".join(f"U+{ord(character):04X}" for character in found)
    return _INVISIBLE.sub("", text), [Dropped(text=names, reason=INVISIBLE)]


def _judge(lines: list[str]) -> list[str]:
    rules = [_matching_rule(line) for line in lines]
    # The first line that is no boilerplate is the page's own title: never another's teaser.
    title = next((place for place, rule in enumerate(rules) if rule is None), len(lines))
    reasons = [rule.reason if rule else "" for rule in rules]
    for place, rule in enumerate(rules):
        for neighbour in _candidates(rule, place, title, len(lines)):
            if rules[neighbour] is not None or not is_headline(lines[neighbour]):
                break
            reasons[neighbour] = f"headline of another story: {lines[place].lower()}"
    return reasons


def _matching_rule(line: str) -> _Rule | None:
    if len(line) > BOILERPLATE_CHARS_MAX:
        return None
    return next((rule for rule in _RULES if rule.pattern.fullmatch(line)), None)


def _candidates(rule: _Rule | None, place: int, title: int, count: int) -> range:
    if rule is None or rule.takes == "itself":
        return range(0)
    if rule.takes == "headline above":
        return range(place - 1, place) if place - 1 > title else range(0)
    reach = 1 if rule.takes == "headline below" else TEASERS_MAX
    return range(place + 1, min(place + 1 + reach, count))
