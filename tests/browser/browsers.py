"""Debian's browsers, driven by Playwright: Chromium, and Firefox over WebDriver BiDi.

Each is used with scripts and without. Chromium has a switch for that in each context; Firefox
has one for the whole browser, `javascript.enabled`, which Tor Browser's safest level sets too.
Where no script may run, Playwright's own waiting does not work in Firefox: here everything is
done by the keyboard and by looking, as in a browser that only a person uses.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from tests.system_tools import need_tool

CHROMIUM, FIREFOX = "chromium", "firefox"
MODES = (
    (CHROMIUM, True),
    (CHROMIUM, False),
    (FIREFOX, True),
    (FIREFOX, False),
)
"""By browser, whether scripts may run."""
TIMEOUT_MS = 120_000
NARROW = (320, 640)
_REFUSED = "the server responded with a status of 4"
"""What Chromium says of every page that asks a visitor to look at something again."""
_OUR_STYLE = "sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT+SmwNZWA="
"""By its hash, the style that Playwright tries to add while it takes a picture; in Firefox the
site's policy forbids it, and Firefox says so."""
_CHROMIUM_ARGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_FIREFOX_PREFS: Mapping[str, Any] = {
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


def launch(playwright: Playwright, name: str, *, scripts: bool = True) -> Browser:
    """A browser of Debian's; without it the test is skipped, or fails under CI."""
    if name == CHROMIUM:
        path = need_tool("chromium", "chromium")
        return playwright.chromium.launch(
            executable_path=path, args=list(_CHROMIUM_ARGS), timeout=TIMEOUT_MS
        )
    path = need_tool("firefox-esr", "firefox-esr")
    prefs = {**_FIREFOX_PREFS, "javascript.enabled": scripts}
    return playwright.firefox.launch(
        executable_path=path,
        channel="moz-firefox",
        firefox_user_prefs=prefs,
        timeout=TIMEOUT_MS,
    )


@dataclass(slots=True)
class Visitor:
    """Somebody at a window of a browser, and all that the browser did and said meanwhile."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    # Going.

    def open(self, url: str) -> int:
        """The status with which an address was answered."""
        answer = self.page.goto(url, wait_until="load")
        assert answer is not None
        return answer.status

    def press(self, selector: str) -> None:
        """Put the focus on a link or button, and press Enter; returns on the next page."""
        self.focus(selector)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")

    def button(self, path: str, name: str = "", value: str = "") -> None:
        """Press the first button that posts to a path, with this name and value."""
        self.press(self.marked(_BUTTON, [path, name, value]))

    def follow(self, path: str) -> None:
        """Follow the first link in the page's content to an address."""
        self.press(f'main a[href="{path}"]')

    def type(self, selector: str, text: str) -> None:
        """Type into a field, key by key."""
        self.focus(selector)
        self.page.keyboard.type(text)

    def focus(self, selector: str) -> None:
        """Put the focus where a person would bring it by Tab."""
        found = self.page.evaluate(_FOCUS, selector)
        assert found, f"{selector} is not on {self.page.url}: {self.text()[:800]}"

    def marked(self, script: str, argument: object) -> str:
        """A selector for what a script finds, which is marked by an attribute for that."""
        mark = self.page.evaluate(script, argument)
        assert mark, f"{argument} is not on {self.page.url}: {self.text()[:800]}"
        return f"[data-found='{mark}']"

    def choose(self, selector: str, files: Sequence[Mapping[str, Any]]) -> None:
        """Choose files in the browser's own dialogue."""
        handle = self.page.query_selector(selector)
        assert handle is not None
        handle.set_input_files(list(files))  # type: ignore[arg-type]

    # Looking.

    @property
    def browser_name(self) -> str:
        """`chromium` or `firefox`."""
        browser = self.context.browser
        assert browser is not None
        return browser.browser_type.name

    def text(self) -> str:
        """What stands on the page."""
        return self.page.inner_text("body")

    def heading(self) -> str:
        """The page's one heading of the first level."""
        return self.page.inner_text("h1")

    def ask(self, script: str, argument: object = None) -> Any:
        """What a script of ours, which no page can see, says of the page."""
        return self.page.evaluate(script, argument)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size, in CSS pixels."""
        self.page.set_viewport_size({"width": width, "height": height})

    def picture(self) -> bytes:
        """The whole page as a PNG."""
        return self.page.screenshot(full_page=True, caret="initial", animations="allow")

    # What must never be.

    def said(self) -> list[str]:
        """What the browser complained about, but for what is meant, or our own fault."""
        meant = (_REFUSED, _OUR_STYLE)
        return [each for each in self.complaints if not any(one in each for one in meant)]

    def strayed(self, url: str) -> list[str]:
        """Every request to anywhere but the site at `url`."""
        ours = urlsplit(url).netloc
        return [
            each
            for each in self.requests
            if not each.startswith("data:") and urlsplit(each).netloc != ours
        ]


@contextmanager
def visiting(
    browser: Browser,
    *,
    scripts: bool = True,
    size: tuple[int, int] = NARROW,
    scale: float = 1.0,
) -> Iterator[Visitor]:
    """A fresh window of its own, with nothing in it that an earlier one left."""
    options: dict[str, Any] = {
        "viewport": {"width": size[0], "height": size[1]},
        # WebDriver BiDi has no way to pretend these; Playwright must not try.
        "color_scheme": "null",
        "reduced_motion": "null",
        "forced_colors": "null",
        "contrast": "null",
    }
    if scale != 1.0:
        options["device_scale_factor"] = scale
    if browser.browser_type.name == CHROMIUM:
        options["java_script_enabled"] = scripts
    context = browser.new_context(**options)
    context.set_default_timeout(TIMEOUT_MS)
    try:
        yield _watched(context)
    finally:
        context.close()


def _watched(context: BrowserContext) -> Visitor:
    visitor = Visitor(page=context.new_page(), context=context)
    complain, page = visitor.complaints.append, visitor.page
    page.on("request", lambda request: visitor.requests.append(request.url))
    page.on("requestfailed", lambda request: complain(f"failed: {request.url}"))
    page.on("console", lambda message: complain(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complain(f"error: {error}"))
    return visitor


_FOCUS = """(selector) => {
  const found = document.querySelector(selector);
  if (found) found.focus();
  return found !== null && document.activeElement === found;
}"""
_BUTTON = """([path, name, value]) => {
  const fits = (each) =>
    new URL(each.getAttribute("formaction") || each.form.getAttribute("action"), location)
      .pathname.endsWith(path) && (each.name || "") === name && (each.value || "") === value;
  const found = [...document.querySelectorAll("button")].find(fits);
  if (!found) return "";
  found.dataset.found = "button";
  return "button";
}"""
