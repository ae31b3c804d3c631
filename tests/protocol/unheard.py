"""A law that does not say how somebody is heard: many tests list people the short way."""

from typing import Any


def unheard(document: Any) -> Any:
    """The example statute without its procedure for listings, and without what that needs."""
    section = document["procedure"].pop("listing")["section"]
    del document["parameters"]["reply_period"]
    del document["facts"]["individually_assessed"]
    document["sections"] = [one for one in document["sections"] if one["number"] != section]
    return document
