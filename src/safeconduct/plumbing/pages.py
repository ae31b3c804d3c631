"""HTML pages from templates: the one door to Jinja2. Everything is escaped, nothing is guessed.

A party keeps its templates in `templates/` and its style sheets in `assets/` beside its code.
"""

import functools
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(package: str, name: str, **values: object) -> str:
    """The HTML of template `name` of `package`; a value the template lacks is an error."""
    return _environment(package).get_template(name).render(**values)


@functools.cache
def asset(package: str, name: str) -> bytes:
    """The bytes of the file `assets/<name>` of `package`: a style sheet or a picture."""
    return resources.files(package).joinpath("assets", name).read_bytes()


@functools.cache
def _environment(package: str) -> Environment:
    return Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
