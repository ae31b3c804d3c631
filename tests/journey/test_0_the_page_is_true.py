"""docs/1-journey.md is a session that can be pasted: it runs here, word for word."""

from pathlib import Path

from tests.journey.session import Step, read_steps, run_steps


def test_every_command_of_the_journey_prints_what_the_page_says(
    journey: tuple[Path, list[str]],
) -> None:
    folder, complaints = journey
    play = (folder / "demo.log").read_text()[-2_000:]
    assert not complaints, "\n\n".join([*complaints, f"the play said last:\n{play}"])


def test_a_page_that_says_otherwise_than_the_shell_is_noticed(tmp_path: Path) -> None:
    page = "```console\n$ echo one\ntwo\n$ false\n$ echo x; exit 3\n[exit 3]\n```\n"
    steps = read_steps(page)
    assert steps[1] == Step(command="false", output=(), exit_code=0)
    complaints = run_steps(steps, tmp_path, "/usr/bin:/bin")
    assert [line.split("\n")[0] for line in complaints] == [
        "$ echo one",
        "$ false",
        "the session ended after 2 of 3 steps",
    ]
