"""The body's questions on the way of a tip: fetched, asked or answered by a file, and attached.

    send      asks the door at /questions.json, over the circuit that reads the Gazette
    prepare   reads the same bytes from a file, since no network reaches it

What the door asks is not in the Gazette: it is a request, and the person sees it before they
answer. A door that asks nothing, or knows of no questions, changes nothing about a tip.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.source.questions import (
    FILE_BYTES_MAX,
    answers_from_file,
    ask_questions,
)
from safeconduct.plumbing import fetch, terminal
from safeconduct.plumbing.circuits import Circuits
from safeconduct.plumbing.durable import read_file
from safeconduct.protocol.answered import settle
from safeconduct.protocol.envelope import ANSWERS_NAME, MESSAGE_NAME, Source
from safeconduct.protocol.questions import (
    LONG_CHARS_MAX,
    QUESTIONS_BYTES_MAX,
    parse_questions,
)


def add_answers(verb: argparse.ArgumentParser) -> None:
    """Add how the body's questions are answered."""
    how = verb.add_mutually_exclusive_group()
    how.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help='answers to the body\'s questions, as JSON: {"how": "saw", "when": "2027-05"}',
    )
    how.add_argument(
        "--no-answers", action="store_true", help="answer none of the body's questions"
    )


def fetch_questions(door: str, circuits: Circuits) -> bytes:
    """What a door asks, as it answers `/questions.json`; empty if it knows of no questions.

    Raises:
        MalformedError: it sends far too much.
        UnavailableError: it cannot be reached.
    """
    url, circuit = f"{door}/questions.json", circuits.of("gazette")
    try:
        return fetch.get(url, bytes_max=QUESTIONS_BYTES_MAX, circuit=circuit)
    except RefusedError:
        return b""


def with_answers(
    options: argparse.Namespace, definition_json: bytes, sources: Sequence[Source]
) -> Sequence[Source]:
    """The sources, with `answers.json` behind the message if any questions were answered.

    Raises:
        MalformedError: the questions are not sound, or the answers in the file do not hold.
        RefusedError: an answer is required, and there is nobody to ask and no file; or there
            is a file, and nothing is asked.
        UnavailableError: the file is not there.
    """
    asked = bool(definition_json and parse_questions(definition_json).questions)
    if options.answers is not None and not asked:
        raise RefusedError(
            "this body asks no questions, so nothing of --answers would go along",
            hint="leave it out, or attach the file",
        )
    data = _answered(options, definition_json) if asked else b""
    if not data:
        return sources
    place = 1 if sources and sources[0].name == MESSAGE_NAME else 0
    answers = Source(name=ANSWERS_NAME, read=lambda: [data])
    return [*sources[:place], answers, *sources[place:]]


def _answered(options: argparse.Namespace, definition_json: bytes) -> bytes:
    questionnaire = parse_questions(definition_json)
    language = questionnaire.default
    if options.answers is not None:
        given = read_file(options.answers, bytes_max=FILE_BYTES_MAX)
        return answers_from_file(definition_json, given, language=language)
    if not options.no_answers and sys.stdin.isatty():
        terminal.note("the body asks; your answers are sealed with what you send")
        return ask_questions(definition_json, _ask, language=language)
    if settle(questionnaire, {}).faults:
        raise RefusedError(
            "this body asks questions that must be answered",
            hint="give --answers FILE, or run this at a terminal; the door's page"
            " /questions.json shows what is asked",
        )
    if not options.no_answers:
        terminal.note("the body asks questions; --answers FILE would answer them")
    return b""


def _ask(text: str) -> str:
    terminal.note(text)
    line = sys.stdin.readline(LONG_CHARS_MAX + 1)
    if not line:
        raise RefusedError("the answers broke off; nothing was sent")
    return line.rstrip("\r\n")
