"""The report of an audit: for people in words, for programs as JSON.

6  FAILED  each statute is the Gazette's law and does what its own cases say
           file      statutes/1.json
           found     SHA-256 90b2…
           expected  SHA-256 1c77…, the law in entry 1 of the Gazette
           proves    The registry signed for a law that the Gazette does not hold: …
"""

import textwrap
from collections.abc import Iterator, Sequence

from safeconduct.parties.auditor.finding import FAILURES_MAX, Audit, CreditTally, Failed, Result
from safeconduct.protocol.canonical import Json

LINE_CHARACTERS = 96
_INDENT = " " * 12
_LABEL_CHARACTERS = 10


def format_text(audit: Audit) -> str:
    """The report as lines of text, without the last LF."""
    lines = [line for result in audit.results for line in _result_lines(result)]
    return "\n".join([*lines, "", *_summary_lines(audit)])


def format_value(audit: Audit) -> Json:
    """The report as a JSON value."""
    return {
        "asserted": audit.asserted,
        "checks": [_result_value(result) for result in audit.results],
        "credits": [_tally_value(tally) for tally in audit.credits],
        "holds": audit.holds,
        "signed": audit.signed,
        "unsealed": audit.unsealed,
    }


def format_logs_text(results: Sequence[Result]) -> str:
    """The report on copies of logs alone, as lines of text, without the last LF."""
    lines = [line for result in results for line in _result_lines(result)]
    failed = sum(not result.holds for result in results)
    count = f"{len(results)} cop{'y' if len(results) == 1 else 'ies'} of a log"
    summary = f"{failed} of {count} failed." if failed else _LOGS_HOLD.format(count=count)
    summary += _earlier_text(sum(result.earlier for result in results))
    return "\n".join([*lines, "", *textwrap.wrap(summary, LINE_CHARACTERS)])


_LOGS_HOLD = (
    "{count}: whole. Nothing was asked about what the entries say, nor about anything else in "
    "the folder."
)


def format_logs_value(results: Sequence[Result]) -> Json:
    """The report on copies of logs alone, as a JSON value."""
    return {
        "holds": all(result.holds for result in results),
        "logs": [_result_value(result) for result in results],
    }


def _result_lines(result: Result) -> Iterator[str]:
    yield f"{result.number:>2}  {'ok' if result.holds else 'FAILED':<6}  {result.title}"
    if result.holds:
        for source in result.computed_from:
            yield from _labelled("from", source)
        return
    for failed in result.failures:
        yield from _labelled("file", failed.file)
        yield from _labelled("found", failed.found)
        yield from _labelled("expected", failed.expected)
        yield from _labelled("proves", failed.proves)
    if len(result.failures) >= FAILURES_MAX:
        yield from _labelled("and", f"stopped after {FAILURES_MAX} failures")


def _labelled(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        LINE_CHARACTERS,
        initial_indent=_INDENT + label.ljust(_LABEL_CHARACTERS),
        subsequent_indent=_INDENT + " " * _LABEL_CHARACTERS,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary_lines(audit: Audit) -> list[str]:
    count = len(audit.results)
    failed = [str(result.number) for result in audit.results if not result.holds]
    if not failed:
        told = _all_hold(count, audit.asserted) + _earlier_text(audit.earlier)
        return textwrap.wrap(told, LINE_CHARACTERS)
    signed = (
        "The registry signed for exactly these bytes: it answers for them."
        if audit.signed
        else "The registry did not sign for exactly these bytes."
    )
    return [f"{len(failed)} of {count} checks failed: {', '.join(failed)}.", signed]


def _earlier_text(entries: int) -> str:
    if not entries:
        return ""
    return (
        f" But {entries} entries were looked at by earlier audits only: their files are here, "
        "and what is in them now was not read. Leave out --resume to have all of it read."
    )


def _all_hold(count: int, asserted: int) -> str:
    if not asserted:
        return f"All {count} checks hold: everything above was computed here, from these bytes."
    return (
        f"All {count} checks hold. Everything above was computed here, from these bytes, "
        f"except the facts of {asserted} decision{'s' * (asserted > 1)} on sealed evidence: "
        f"those the board asserts."
    )


def _result_value(result: Result) -> Json:
    return {
        "computed_from": list(result.computed_from),
        "failures": [_failed_value(failed) for failed in result.failures],
        "holds": result.holds,
        "name": result.name,
        "number": result.number,
        "title": result.title,
    }


def _tally_value(tally: CreditTally) -> Json:
    return {
        "class": tally.group.word,
        "issued": tally.issued,
        "period": tally.group.period,
        "redeemed": tally.redeemed,
        "statute": tally.group.statute.hex(),
    }


def _failed_value(failed: Failed) -> Json:
    return {
        "expected": failed.expected,
        "file": failed.file,
        "found": failed.found,
        "proves": failed.proves,
    }
