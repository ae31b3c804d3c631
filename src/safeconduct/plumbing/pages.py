"""HTML pages from templates: the one door to Jinja2. Everything is escaped, nothing is guessed.

A party keeps its templates in `templates/` and its style sheets in `assets/` beside its code.
Every template may begin with `{% extends "base.html" %}`: the frame and the look that all sites
share, which lie in this package with `style.css`.

Filters for every template:

    {{ seconds | utc }}          1 June 2027, 00:00:00 UTC
    {{ seconds | instant }}      2027-06-01T00:00:00Z, for <time datetime="…">
    {{ hash_bytes | hex }}       lower-case hex
"""

import functools
from datetime import UTC, datetime, timedelta
from importlib import resources

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from safeconduct.protocol.statute.instant import format_instant

SHARED = "safeconduct.plumbing"
STYLE = "style.css"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def render(package: str, name: str, **values: object) -> str:
    """The HTML of template `name` of `package`; a value the template lacks is an error."""
    return _environment(package).get_template(name).render(**values)


@functools.cache
def asset(package: str, name: str) -> bytes:
    """The bytes of the file `assets/<name>` of `package`: a style sheet or a picture."""
    return resources.files(package).joinpath("assets", name).read_bytes()


def style() -> bytes:
    """The style sheet that all sites share."""
    return asset(SHARED, STYLE)


def utc(at: int) -> str:
    """POSIX seconds as people write a date: `1 June 2027, 00:00:00 UTC`."""
    moment = _EPOCH + timedelta(seconds=at)
    return f"{moment.day} {moment:%B} {moment.year}, {moment:%H:%M:%S} UTC"


@functools.cache
def _environment(package: str) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(SHARED)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"utc": utc, "instant": format_instant, "hex": bytes.hex}
    return environment
