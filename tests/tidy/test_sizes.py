"""Nothing here is longer than somebody would like to read."""

from statistics import median

import pytest
from tests.tidy.source_files import ROOT, functions, lines_of, python_files, text_of

FUNCTION_LINES_MAX = 60
FUNCTION_LINES_MEDIAN_MAX = 10
MODULE_LINES_MAX = 500
COLUMNS_MAX = 96

FILES = python_files("src", "tests")


def test_the_files_are_found() -> None:
    assert len(FILES) > 100


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{path}:{function.lineno} {function.name}": length
        for path in python_files("src")
        for function in functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


@pytest.mark.parametrize("folder", ["src/safeconduct/protocol", "src/safeconduct"])
def test_half_of_the_functions_have_at_most_10_lines(folder: str) -> None:
    lengths = [lines_of(each) for path in python_files(folder) for each in functions(path)]
    assert len(lengths) > 200
    assert median(lengths) <= FUNCTION_LINES_MEDIAN_MAX


def test_no_module_is_longer_than_500_lines() -> None:
    long = {str(path): text_of(path).count("\n") for path in FILES}
    assert {name: lines for name, lines in long.items() if lines > MODULE_LINES_MAX} == {}


def test_no_line_is_longer_than_96_columns() -> None:
    long = [
        f"{path}:{number}"
        for path in FILES
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if len(line) > COLUMNS_MAX
    ]
    assert long == []


def test_no_folder_of_code_is_empty() -> None:
    folders = {path.parent for path in python_files("src")}
    assert {
        str(each) for each in folders if not (ROOT / each / "__init__.py").is_file()
    } == set()
