"""HTML pages from templates: the one door to Jinja2. Everything is escaped, nothing is guessed.

A party keeps its templates in `templates/` and its style sheets in `assets/` beside its code.
Every template may begin with `{% extends "base.html" %}`: the frame and the look that all sites
share, which lie in this package with `style.css`.

Filters for every template:

    {{ seconds | utc }}          1 June 2027, 00:00:00 UTC, in the page's language
    {{ seconds | day }}          1 June 2027
    {{ seconds | distance }}     190 days 7 hours
    {{ size | amount }}          24 MB
    {{ seconds | instant }}      2027-06-01T00:00:00Z, for <time datetime="…">
    {{ hash_bytes | hex }}       lower-case hex

What a page says in several languages stands in `{% trans %}…{% endtrans %}` or `_("…")`;
`language` and `direction` are set on every page.
"""

import functools
from importlib import resources

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from safeconduct.plumbing.languages import (
    DEFAULT,
    Catalogue,
    amount,
    catalogue,
    day,
    direction,
    distance,
    when,
)
from safeconduct.protocol.statute.instant import format_instant

SHARED = "safeconduct.plumbing"
STYLE = "style.css"


def render(package: str, name: str, *, language: str = DEFAULT, **values: object) -> str:
    """The HTML of template `name` of `package` in `language`.

    A value that the template lacks is an error; a sentence that the language lacks is English.
    """
    return _environment(package, language).get_template(name).render(**values)


@functools.cache
def asset(package: str, name: str) -> bytes:
    """The bytes of the file `assets/<name>` of `package`: a style sheet or a picture."""
    return resources.files(package).joinpath("assets", name).read_bytes()


def style() -> bytes:
    """The style sheet that all sites share."""
    return asset(SHARED, STYLE)


def utc(at: int) -> str:
    """POSIX seconds as people write a date: `1 June 2027, 00:00:00 UTC`."""
    return when(at, DEFAULT)


@functools.cache
def _environment(package: str, language: str) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(SHARED)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    known = catalogue(package, language)
    _with_sentences(environment, known)
    environment.globals |= {"language": language, "direction": direction(language)}
    environment.filters |= {
        "utc": functools.partial(when, language=language),
        "day": functools.partial(day, language=language),
        "distance": functools.partial(distance, language=language),
        "amount": functools.partial(amount, language=language),
        "instant": format_instant,
        "hex": bytes.hex,
    }
    return environment


def _with_sentences(environment: Environment, known: Catalogue) -> None:
    # The extension adds this method by name, where type checkers cannot see it.
    install = getattr(environment, "install_gettext_callables")  # noqa: B009
    install(known.gettext, known.ngettext, newstyle=True)
