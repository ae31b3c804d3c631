"""The forms of a page, read as browsers read them, and posted by one without a screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

TIMEOUT_SECONDS = 180


@dataclass(slots=True)
class Form:
    """One form: where it posts to, its hidden fields, and the names that can be filled in."""

    action: str
    multipart: bool = False
    hidden: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._in_words = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "ol":
            self._in_words = given.get("class") == "words"
        elif tag == "form":
            action, parts = given["action"], given.get("enctype") == "multipart/form-data"
            self.forms.append(Form(action=action, multipart=parts, actions=[action]))
        elif self.forms and tag in {"input", "textarea", "select", "button"}:
            self._field(given)

    def handle_data(self, data: str) -> None:
        if self._in_words and data.strip():
            self.words.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "ol":
            self._in_words = False

    def _field(self, given: Mapping[str, str]) -> None:
        form = self.forms[-1]
        if "formaction" in given:
            form.actions.append(given["formaction"])
        if given.get("type") == "hidden":
            form.hidden[given["name"]] = given["value"]
        elif "name" in given:
            form.names.append(given["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An answer of the door's, byte for byte."""

    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def forms(self) -> list[Form]:
        return _read(self.text).forms

    @property
    def words(self) -> list[str]:
        """The twelve words that the page shows."""
        return _read(self.text).words

    def form(self, path: str) -> Form:
        """The form, or the button's form, that posts to a path."""
        found = [form for form in self.forms if any(at.endswith(path) for at in form.actions)]
        assert found, f"{self.path} has no form that posts to {path}: {self.text[:2000]}"
        return found[0]


def _read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    return reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Somebody who goes through the door's pages in one language."""

    url: str
    language: str
    http: httpx.Client

    def open(self, path: str) -> Seen:
        """A page at `/{language}{path}`."""
        return self.seen(path, self.http.get(self._url(path)))

    def post(
        self,
        page: Seen,
        path: str,
        fields: Mapping[str, str | list[str]] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Seen:
        """What comes of the form on `page` that posts to `path`, filled in like this."""
        form = page.form(path)
        data: dict[str, str | list[str]] = {**form.hidden, **(fields or {})}
        if not form.multipart:
            return self.seen(path, self.http.post(self._url(path), data=data))
        parts = [
            (name, (None, value.encode()))
            for name, given in data.items()
            for value in ([given] if isinstance(given, str) else given)
        ]
        chosen = files or {"": b""}  # what a browser sends where no file was chosen
        uploads = [("file", (name, body)) for name, body in chosen.items()]
        return self.seen(path, self.http.post(self._url(path), files=[*parts, *uploads]))

    def _url(self, path: str) -> str:
        return f"{self.url}/{self.language}{path}"

    def seen(self, path: str, answer: httpx.Response) -> Seen:
        """An answer, as it is kept."""
        return Seen(
            path=path,
            status=answer.status_code,
            headers=dict(answer.headers),
            body=answer.content,
        )
