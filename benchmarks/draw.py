"""The curves of the last kept run as a picture: results/curves.json to results/curves.svg.

Needs matplotlib (requirements/bench.txt), which nothing else here does.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_COLUMNS = 4
_LOG_FROM = 20  # times the least value
_COLOUR = "#1f5f8b"


def draw(report: dict[str, Any], path: Path) -> None:
    """One small panel for each curve, over the log's size."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("svg")
    # The same data gives the same file.
    matplotlib.rcParams.update(
        {"svg.hashsalt": "curves", "svg.fonttype": "none", "font.size": 8}
    )
    pyplot = importlib.import_module("matplotlib.pyplot")
    curves = report["curves"]
    rows = -(-len(curves) // _COLUMNS)
    figure, axes = pyplot.subplots(rows, _COLUMNS, figsize=(11, 2.6 * rows))
    for panel, curve in zip(axes.flat, curves, strict=False):
        panel.plot(curve["tree_sizes"], curve["values"], marker="o", color=_COLOUR)
        panel.set_xscale("log")
        if max(curve["values"]) > _LOG_FROM * min(curve["values"]):
            panel.set_yscale("log")
        else:
            panel.set_ylim(0, 1.1 * max(curve["values"]))
        panel.set_title(f"{curve['what']}, {curve['unit']}")
        panel.grid(alpha=0.3)
    for panel in list(axes.flat)[len(curves) :]:
        panel.axis("off")
    figure.supxlabel("entries in the log")
    figure.suptitle(_told(report["machine"]), fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _told(machine: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {machine[name]}" for name in ("processor", "cores", "filesystem", "python")
    )


def main() -> None:
    """Draw what is kept."""
    report = json.loads((RESULTS / "curves.json").read_text(encoding="utf-8"))
    draw(report, RESULTS / "curves.svg")
    sys.stdout.write("drawn: results/curves.svg\n")


if __name__ == "__main__":
    main()
