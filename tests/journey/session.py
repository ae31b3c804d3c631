"""Runs the shell sessions of a Markdown page, and compares what they print with what it says.

In a fenced block marked `console`, a line `$ …` is a command (`> …` continues it) and the
lines up to the next command are its output. In those, `…` stands for anything, a line of `…`
alone for any lines. A command must succeed unless its output ends with `[exit N]`. All commands
of a page run in one bash, in order, up to the first that ends otherwise.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

SESSION_SECONDS = 600
_FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\[exit (\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a page, and what it should print."""

    command: str
    output: tuple[str, ...]
    exit_code: int


def read_steps(page: str) -> list[Step]:
    """The commands of all console blocks of a page."""
    steps: list[Step] = []
    for block in _FENCE.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.rstrip("\n").split("\n")
            count = 1
            while count < len(lines) and lines[count].startswith("> "):
                count += 1
            command = "\n".join([lines[0], *(line[2:] for line in lines[1:count])])
            output = lines[count:]
            code = 0
            if output and (found := _EXIT.fullmatch(output[-1])):
                code, output = int(found[1]), output[:-1]
            steps.append(Step(command=command, output=tuple(output), exit_code=code))
    return steps


def run_steps(steps: list[Step], folder: Path, path: str) -> list[str]:
    """Run all steps in one bash in `folder`; a complaint for each that went otherwise."""
    script = folder / "session.sh"
    script.write_text("".join(_step_script(n, step) for n, step in enumerate(steps)))
    done = subprocess.run(
        ["bash", str(script)],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SESSION_SECONDS,
        check=False,
    )
    parts = re.split(r"^<<<(\d+):(\d+)>>>\n", done.stdout, flags=re.MULTILINE)
    outputs = parts[0::3]
    codes = [int(code) for code in parts[2::3]]
    complaints = [
        f"$ {step.command}\nexit {code}, printed:\n{output}\nexpected:\n"
        + "\n".join(step.output)
        for step, output, code in zip(steps, outputs, codes, strict=False)
        if code != step.exit_code or not _matches(step.output, output)
    ]
    if len(codes) < len(steps):
        complaints.append(f"the session ended after {len(codes)} of {len(steps)} steps")
    return complaints


def _step_script(number: int, step: Step) -> str:
    """The command, its number and exit code; another code than expected ends the session."""
    return (
        f"{step.command}\ncode=$?\nprintf '<<<%d:%d>>>\\n' {number} $code\n"
        f"[ $code = {step.exit_code} ] || {{ kill $(jobs -p) 2> /dev/null; wait; exit; }}\n"
    )


def _matches(expected: tuple[str, ...], output: str) -> bool:
    pattern = ""
    for line in expected:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("…")) + r"\n"
    return re.fullmatch(pattern, output) is not None
