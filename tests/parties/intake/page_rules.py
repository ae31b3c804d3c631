"""What holds for every page of the door, whatever led to it."""

import re

import httpx
from tests.parties.intake.walking import Seen, seen

from safeconduct.plumbing.pages import style

PAGE_BYTES_MAX = 30_000
_STRANGE = {"script", "img", "iframe", "object", "svg", "style", "embed", "video", "audio"}


def check_page(answer: httpx.Response, *, bytes_max: int = PAGE_BYTES_MAX) -> None:
    """Whole, small, labelled; no script, no cookie, nothing from elsewhere."""
    headers = answer.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "script-src" not in headers["content-security-policy"]
    assert "set-cookie" not in headers
    made = seen(answer.text)
    tags = [tag for tag, _ in made.tags]
    assert not _STRANGE & set(tags)
    html = made.all("html")[0]
    assert html["lang"]
    assert html["dir"] in {"ltr", "rtl"}
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
    for _, attributes in made.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction"):
            assert re.match(r"(/|#|data:)(?!/)|$", attributes.get(name) or ""), attributes
    check_answers(made)
    assert len(answer.content) + len(style()) <= bytes_max


def check_answers(made: Seen) -> None:
    """Each thing to fill in has its label, and none of them is remembered by a browser."""
    ids = [str(each["id"]) for _, each in made.tags if "id" in each]
    assert len(set(ids)) == len(ids)
    labelled = {each.get("for") for each in made.all("label")}
    for form in made.all("form"):
        assert form["method"] == "post"
        assert form["autocomplete"] == "off"
    for answer in made.all("input", "textarea", "select"):
        hidden = answer.get("type") == "hidden"
        assert hidden or answer.get("id") in labelled
        assert answer.get("type") == "file" or answer.get("autocomplete") == "off"
        assert set((answer.get("aria-describedby") or "").split()) <= set(ids)
