"""Which tests run together when a run is spread over several processes: `pytest -n 2`.

A process is given one group after the other. A group is a file, with what its tests share; or
all files that need the same costly fixture, so that nothing is played or installed twice. The
groups that take longest come first, so that no process ends long before the others. Without
`-n` nothing here has any effect.
"""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

settings.register_profile(
    "any machine, however slow",
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
settings.load_profile("any machine, however slow")
# Loaded before any test is read: an example fails for what it shows, never for its duration.

GROUPS = {
    "the play and whoever attacks it": (
        "tests/hostile/test_|tests/crash/test_kill_between_scenes"
        "|tests/crash/test_kill_while_sending"
    ),
    "Firefox": "tests/browser/.*firefox",
    "Chromium": "tests/browser/",
    "a network of Tor": "tests/tor/",
    "the journey of the documentation": "tests/journey/",
}
"""By name, what the tests of a group look like; the longest group first."""

LONG = "tests/(crash|hostile|interop|fuzz|parties/log)/"
"""Whose files come after these groups and before all others."""


@pytest.hookimpl(optionalhook=True)  # without xdist there is no such hook
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Our groups, in the order in which `pytest_collection_modifyitems` puts them."""
    config.option.loadscopereorder = False
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _group_of  # what xdist asks for a test's group
    return scheduler


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of several, the longest groups come first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """If pages were looked at in browsers, say where their pictures are."""
    passed = terminalreporter.stats.get("passed", [])
    if any(report.nodeid.startswith("tests/browser/test_pages") for report in passed):
        terminalreporter.write_line("pictures of every page: build/screenshots")


def _group_of(nodeid: str) -> str:
    named = (name for name, like in GROUPS.items() if re.match(like, nodeid))
    return next(named, nodeid.partition("::")[0])


def _rank(nodeid: str) -> int:
    order = [*GROUPS.values(), LONG]
    return next((rank for rank, like in enumerate(order) if re.match(like, nodeid)), len(order))
