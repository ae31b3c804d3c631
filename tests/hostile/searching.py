"""Where in all that a play left, printed and showed a secret is, however it is spelt."""

import base64
from collections.abc import Iterator

from tests.world import Played

from safeconduct.plumbing.words import LANGUAGES, format_words

RUN_OF_WORDS = 4


def everything(played: Played) -> dict[str, bytes]:
    """Every file of the play by its name; in brackets, what it printed and what was seen."""
    read = {"(printed)": played.told.encode("utf-8"), **played.seen}
    for path in played.folder.rglob("*"):
        if path.is_file():
            try:
                read[str(path.relative_to(played.folder))] = path.read_bytes()
            except FileNotFoundError:
                continue  # the logs replace their partial tiles while we look
    return read


def places(kept: dict[str, bytes], secret: bytes) -> set[str]:
    """The files that hold `secret` or are named by it."""
    name = secret.decode("utf-8", "replace")
    return {path for path, data in kept.items() if secret in data or name in path}


def spellings(secret: bytes) -> list[bytes]:
    """A binary secret as it is, in hex, and in base64 however it is aligned."""
    made = [secret, secret.hex().encode(), secret.hex().upper().encode()]
    for before in range(3):
        coded = base64.b64encode(bytes(before) + secret)
        # The first and the last characters mix with what stands around the secret.
        made.append(coded[4 if before else 0 : -4])
    return made


def phrases(entropy: bytes) -> Iterator[bytes]:
    """How the words for `entropy` begin in each language, as they are written there."""
    for language in LANGUAGES:
        words = format_words(entropy, language)
        yield words[: len(words) // 3].encode()


def runs(words: str) -> Iterator[bytes]:
    """Each run of four words, as they are typed and as a form sends them."""
    parts = words.split(" ")
    for start in range(len(parts) - RUN_OF_WORDS + 1):
        run = parts[start : start + RUN_OF_WORDS]
        yield " ".join(run).encode()
        yield "+".join(run).encode()
        yield ",".join(run).encode()
