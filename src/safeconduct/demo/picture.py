"""The picture of a play: what happened when, in lanes, drawn from what really happened.

Times come from the witnesses where there are any, else from the play's own clock. The picture
needs no script and no font, and says everything that colour says in words too.
"""

from html import escape

from safeconduct.demo.world import Moment, World

WIDTH, LEFT, RIGHT, TOP, LANE = 1120, 132, 30, 96, 74
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
_ROW = 15
_ROWS = 4


def draw(world: World) -> str:
    """The picture as SVG text."""
    moments = sorted((m for m in world.moments if m.kind != "date"), key=lambda m: m.at)
    first = min(moment.at for moment in moments)
    last = max(moment.at for moment in moments)

    def x(at: float) -> float:
        return LEFT + (at - first) / max(1.0, last - first) * (WIDTH - LEFT - RIGHT - 90)

    height = TOP + LANE * len(LANES) + 40
    body = [_frame(height), _lanes(), _date_line(x(world.date), height)]
    rows: dict[str, int] = {}
    for moment in moments:
        rows[moment.lane] = (rows.get(moment.lane, -1) + 1) % _ROWS
        body.append(_mark(moment, x(moment.at), rows[moment.lane]))
    body.append(_scale(first, last, x, height))
    return "\n".join([*body, "</svg>"]) + "\n"


def _frame(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">\n'
        "<title>A whole programme, as it was played: who did what, and when</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#fffefb"/>\n'
        f'<text x="24" y="38" font-size="21" font-weight="600" fill="#1b1f23">'
        "From a tip to an acquittal that anyone can check</text>\n"
        '<text x="24" y="60" fill="#555b61">One real run. Dates of tips are the witnesses’; '
        "all else is the play’s own clock.</text>"
    )


def _lanes() -> str:
    lines = []
    for number, title in enumerate(LANES.values()):
        y = TOP + LANE * number
        fill = "#f6f4ee" if number % 2 == 0 else "#fffefb"
        lines.append(f'<rect x="0" y="{y}" width="{WIDTH}" height="{LANE}" fill="{fill}"/>')
        lines.append(
            f'<text x="24" y="{y + LANE / 2 + 4}" font-weight="600" fill="#1b1f23">'
            f"{escape(title)}</text>"
        )
    return "\n".join(lines)


def _date_line(x: float, height: int) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 14}" y2="{height - 34}" '
        'stroke="#b4470a" stroke-width="2" stroke-dasharray="6 4"/>\n'
        f'<text x="{x:.1f}" y="{TOP - 20}" text-anchor="middle" font-weight="600" '
        'fill="#b4470a">the date of the law</text>'
    )


def _mark(moment: Moment, x: float, row: int) -> str:
    y = TOP + LANE * list(LANES).index(moment.lane) + 14 + _ROW * row
    colour = _MARKS[moment.kind]
    shape = f'<circle cx="{x:.1f}" cy="{y}" r="4.5" fill="{colour}"/>'
    if moment.kind in {"late", "refused"}:
        shape = (
            f'<path d="M{x - 4:.1f} {y - 4}l8 8m0 -8l-8 8" stroke="{colour}" '
            'stroke-width="2.4" fill="none"/>'
        )
    words = escape(moment.words.replace("_", " "))
    return f'{shape}<text x="{x + 9:.1f}" y="{y + 4}" fill="#1b1f23">{words}</text>'


def _scale(first: float, last: float, x: "object", height: int) -> str:
    assert callable(x)
    marks = []
    for second in range(0, int(last - first) + 1, 5):
        place = x(first + second)
        marks.append(
            f'<text x="{place:.1f}" y="{height - 14}" text-anchor="middle" fill="#555b61">'
            f"{second} s</text>"
        )
    return "\n".join(marks)
