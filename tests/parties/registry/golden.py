"""Letters that were read by a human and found right, word for word.

    letters_told/refused.txt      one of them; whatever is a hash in it stands as HASH

A letter that is told otherwise on purpose is read again, and then written there:
`SAFECONDUCT_LETTERS_READ=1 pytest tests/parties/registry`.
"""

import os
import re
from pathlib import Path

LETTERS = Path(__file__).parent / "letters_told"
_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def told_as_before(name: str, text: str) -> None:
    """Check that the letter is the one that was read, but for the hashes in it."""
    path, found = LETTERS / f"{name}.txt", _HASH.sub("HASH", text)
    if os.environ.get("SAFECONDUCT_LETTERS_READ"):
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
