"""The picture of a play: what happened when, in lanes, drawn from what really happened.

Times come from the witnesses where there are any, else from the play's own clock. The picture
needs no script and no font, and says everything that colour says in words too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from safeconduct.demo.world import Moment, World

WIDTH, LEFT, RIGHT, TOP, FOOT = 1120, 140, 40, 104, 44
ROW, LANE_PADDING = 18, 13
CHARACTER_PIXELS = 6.7  # of the widest common system fonts at 12 px: labels must never overlap
LANES = {
    "board": "Board and law",
    "sources": "Sources",
    "desk": "Desk",
    "press": "Press",
    "claims": "Claims",
    "registry": "Register",
    "auditor": "Auditor",
}
_MARKS = {
    "step": "#5b6b66",
    "tip": "#0c4f4a",
    "late": "#b4470a",
    "good": "#1d5c37",
    "refused": "#8f1d14",
}
_CROSSED = frozenset({"late", "refused"})
SCALE_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A moment with its place: its lane's row, and whether its words stand left of its mark."""

    moment: Moment
    x: float
    row: int
    leftwards: bool


def draw(world: World) -> str:
    """The picture as SVG text."""
    moments = sorted((m for m in world.moments if m.kind != "date"), key=lambda m: m.at)
    first, last = moments[0].at, moments[-1].at
    pixels = (WIDTH - LEFT - RIGHT) / max(1.0, last - first)

    def x(at: float) -> float:
        return LEFT + (at - first) * pixels

    lanes = {lane: _place([m for m in moments if m.lane == lane], x) for lane in LANES}
    tops, height = _tops(lanes)
    body = [_head(height), _bands(tops, height), _date_line(x(world.date), height)]
    body += [_mark(placed, tops[lane]) for lane, row in lanes.items() for placed in row]
    seconds = range(0, int(last - first) + 1, SCALE_SECONDS)
    body += [_tick(second, x(first + second), height) for second in seconds]
    return "\n".join([*body, "</svg>"]) + "\n"


def _place(moments: list[Moment], x: Callable[[float], float]) -> list[_Placed]:
    """Each moment in the first row in which its words overlap nothing."""
    ends: list[float] = []
    placed = []
    for moment in moments:
        at = x(moment.at)
        width = 14 + CHARACTER_PIXELS * len(moment.words)
        leftwards = at + width > WIDTH
        start, end = (at - width, at + 8) if leftwards else (at - 8, at + width)
        row = next((n for n, taken in enumerate(ends) if taken < start), len(ends))
        ends[row : row + 1] = [end]
        placed.append(_Placed(moment=moment, x=at, row=row, leftwards=leftwards))
    return placed


def _tops(lanes: dict[str, list[_Placed]]) -> tuple[dict[str, int], int]:
    tops, y = {}, TOP
    for lane, placed in lanes.items():
        tops[lane] = y
        y += 2 * LANE_PADDING + ROW * max((one.row + 1 for one in placed), default=1)
    return tops, y + FOOT


def _head(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">\n'
        "<title>A whole programme, as it was played: who did what, and when</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#fffefb"/>\n'
        '<text x="24" y="38" font-size="21" font-weight="600" fill="#1b1f23">'
        "From a tip to an acquittal that anyone can check</text>\n"
        '<text x="24" y="61" fill="#555b61">One real run, in seconds. Tips stand where the '
        "witnesses dated them; everything else by the play’s own clock.</text>"
    )


def _bands(tops: dict[str, int], height: int) -> str:
    lines = []
    edges = [*tops.values(), height - FOOT]
    for number, (lane, title) in enumerate(LANES.items()):
        top, bottom = edges[number], edges[number + 1]
        fill = "#f4f1e8" if number % 2 == 0 else "#fffefb"
        lines.append(
            f'<rect y="{top}" width="{WIDTH}" height="{bottom - top}" fill="{fill}"/>\n'
            f'<text x="24" y="{tops[lane] + LANE_PADDING + 13}" font-weight="600" '
            f'fill="#1b1f23">{escape(title)}</text>'
        )
    return "\n".join(lines)


def _date_line(x: float, height: int) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 10}" y2="{height - FOOT}" '
        'stroke="#b4470a" stroke-width="2" stroke-dasharray="6 4"/>\n'
        f'<text x="{x:.1f}" y="{TOP - 17}" text-anchor="middle" font-weight="600" '
        'fill="#b4470a">the date of the law</text>'
    )


def _mark(placed: _Placed, top: int) -> str:
    x, y = placed.x, top + LANE_PADDING + 9 + ROW * placed.row
    colour = _MARKS[placed.moment.kind]
    shape = f'<circle cx="{x:.1f}" cy="{y}" r="4.5" fill="{colour}"/>'
    if placed.moment.kind in _CROSSED:
        shape = (
            f'<path d="M{x - 4:.1f} {y - 4}l8 8m0 -8l-8 8" stroke="{colour}" '
            'stroke-width="2.4" fill="none"/>'
        )
    anchor, offset = ("end", -10) if placed.leftwards else ("start", 10)
    # The halo keeps words legible where they cross the line of the date.
    return (
        f'{shape}<text x="{x + offset:.1f}" y="{y + 4}" text-anchor="{anchor}" fill="#1b1f23" '
        'stroke="#fffefb" stroke-width="3" paint-order="stroke">'
        f"{escape(placed.moment.words)}</text>"
    )


def _tick(second: int, x: float, height: int) -> str:
    return (
        f'<text x="{x:.1f}" y="{height - 18}" text-anchor="middle" fill="#555b61">'
        f"{second} s</text>"
    )
