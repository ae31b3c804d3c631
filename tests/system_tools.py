"""Tools that a test needs from the system: absent ones are reported, and under CI they fail."""

import os
import shutil

import pytest


def need_tool(command: str, package: str) -> str:
    """The path of `command`; without it the calling test is skipped, or fails under CI."""
    path = shutil.which(command)
    if path is not None:
        return path
    reason = f"NOT TESTED: no `{command}` on PATH; install the package {package}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
