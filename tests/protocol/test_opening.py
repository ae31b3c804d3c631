"""Openings: what a judge is shown was sealed by then, and whoever signs for it may do so."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.builders import (
    FILES,
    LEDGER,
    NOON,
    seal,
    sealed,
)
from tests.protocol.opening_builders import (
    LATER,
    SHOWN,
    answered,
    by_desk,
    by_source,
    contents,
    other_payload,
    payload,
    unanswered,
    verify,
)

from safeconduct.errors import (
    MalformedError,
    SafeconductError,
    UnverifiedError,
)
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.opening import (
    INLINE_PAYLOAD_BYTES_MAX,
    OpeningBundle,
    ShownItem,
    content_of,
    examine_inline,
    format_inline,
    format_opening,
    parse_opening,
    places_hash,
    select_items,
)
from safeconduct.protocol.tip import FILE_BYTES_MAX, TipFile, content_commitment

# What holds.


@pytest.mark.parametrize("opener", [by_source, by_desk], ids=["source", "desk"])
def test_a_whole_tip_opens_with_its_file_key_alone(
    opener: Callable[[], OpeningBundle],
) -> None:
    read: dict[str, bytes] = {}

    def sink(file: TipFile, chunk: bytes) -> None:
        read[file.name] = read.get(file.name, b"") + chunk

    opened = verify(opener(), sink=sink)
    assert read == FILES
    assert opened.by_key
    assert [each.file for each in opened.files] == list(contents())
    assert (opened.scope, opened.status, opened.files_total) == ("all", "", 3)
    assert opened.receipt.logged_by == NOON
    assert opened.logged is not None
    assert opened.logged.logged_by == LATER


@pytest.mark.parametrize("opener", [by_source, by_desk], ids=["source", "desk"])
def test_some_files_are_shown_beside_the_desks_ok(
    opener: Callable[[Iterable[int]], OpeningBundle],
) -> None:
    opened = verify(opener(SHOWN), b"")
    assert [(each.place, each.file.name) for each in opened.files] == [
        (1, "message.txt"),
        (3, "empty"),
    ]
    assert (opened.scope, opened.status, opened.files_total) == ("items", "ok", 3)
    assert not opened.by_key


def test_some_files_are_shown_beside_the_file_key_which_proves_their_names_too() -> None:
    bundle = replace(unanswered(by_source(SHOWN)), file_key=sealed().file_key)
    assert verify(bundle).by_key
    first, *others = bundle.items
    assert isinstance(first, ShownItem)
    renamed = replace(first, file=replace(first.file, name="confession.txt"))
    with pytest.raises(UnverifiedError, match="another name"):
        verify(replace(bundle, items=(renamed, *others)))


def test_an_opening_of_a_tip_that_the_desk_refused_shows_what_it_refused() -> None:
    opened = verify(answered(by_source(), "mismatch"))
    assert opened.status == "mismatch"
    assert opened.by_key


def test_the_sources_opening_may_be_unlogged_and_says_so() -> None:
    assert verify(replace(by_source(), opening_proof=b"")).logged is None


def test_a_hidden_file_shows_nothing_but_a_commitment() -> None:
    written = format_opening(by_source(SHOWN))
    hidden = contents()[1]
    secrets = (hidden.salt.hex(), hidden.sha256.hex(), sealed().file_key.hex(), hidden.name)
    assert [secret for secret in secrets if secret.encode() in written] == []


@settings(max_examples=30)
@given(st.sets(st.integers(1, 3), min_size=1))
def test_any_choice_of_files_gives_the_tips_content_commitment(places: set[int]) -> None:
    items = select_items(contents(), places)
    assert (
        content_of(items) == sealed().record.hash("content") == content_commitment(contents())
    )
    assert {item.place for item in items if isinstance(item, ShownItem)} == places


@pytest.mark.parametrize("places", [(), (0,), (4,), (1, 4)])
def test_a_file_that_the_tip_does_not_have_cannot_be_shown(places: tuple[int, ...]) -> None:
    with pytest.raises(MalformedError, match="files 1 to 3"):
        select_items(contents(), places)


# The byte form.


@pytest.mark.parametrize("places", [(), SHOWN], ids=["all", "items"])
def test_a_bundle_survives_its_byte_form(places: tuple[int, ...]) -> None:
    bundle = by_source(places)
    assert parse_opening(format_opening(bundle)) == bundle


def test_the_file_key_is_not_shown_by_printing_a_bundle() -> None:
    assert repr(sealed().file_key) not in repr(by_source())


def _value(places: tuple[int, ...] = SHOWN) -> dict[str, Json]:
    value = parse_json(format_opening(by_source(places)), "bundle")
    assert isinstance(value, dict)
    return value


def with_item(at: int, **fields: Json) -> Json:
    items = _value()["items"]
    assert isinstance(items, list)
    item = items[at - 1]
    assert isinstance(item, dict)
    items[at - 1] = {**item, **fields}
    return items


MALFORMED: dict[str, Callable[[], dict[str, Json]]] = {
    "a field missing": lambda: {k: v for k, v in _value().items() if k != "proof"},
    "a field too many": lambda: {**_value(), "comment": ""},
    "a number for a text": lambda: {**_value(), "record": 1},
    "a file key in upper case": lambda: {**_value(()), "file_key": "AB" * 16},
    "a file key too short": lambda: {**_value(()), "file_key": "ab" * 15},
    "items that are no list": lambda: {**_value(), "items": {}},
    "too many items": lambda: {**_value(), "items": [{}] * 1_001},
    "an item that is no object": lambda: {**_value(), "items": [1]},
    "an item at another place": lambda: {**_value(), "items": with_item(1, place=2)},
    "a place that is a truth value": lambda: {**_value(), "items": with_item(1, place=True)},
    "a size below zero": lambda: {**_value(), "items": with_item(1, size=-1)},
    "a size beyond any": lambda: {**_value(), "items": with_item(1, size=FILE_BYTES_MAX + 1)},
    "a size in text": lambda: {**_value(), "items": with_item(1, size="1")},
    "a name that climbs": lambda: {**_value(), "items": with_item(1, name="../../x")},
    "a name that turns text around": lambda: {
        **_value(),
        "items": with_item(1, name="\u202ex"),
    },
    "an empty name": lambda: {**_value(), "items": with_item(1, name="")},
    "a salt too short": lambda: {**_value(), "items": with_item(1, salt="00")},
    "an item shown and hidden": lambda: {
        **_value(),
        "items": with_item(1, commitment="00" * 32),
    },
    "a commitment in upper case": lambda: {
        **_value(),
        "items": with_item(2, commitment="AA" * 32),
    },
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_a_bundle_out_of_form_is_refused(value: Callable[[], dict[str, Json]]) -> None:
    with pytest.raises(MalformedError):
        parse_opening(format_json(value()))


@pytest.mark.parametrize("change", [lambda data: data + b"\n", lambda data: b" " + data])
def test_a_bundle_in_another_spelling_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(MalformedError):
        parse_opening(change(format_opening(by_source())))


def nameless(bundle: OpeningBundle) -> OpeningBundle:
    """The bundle without the one thing in it that is only the opener's word."""
    items = tuple(
        replace(item, file=replace(item.file, name="")) if isinstance(item, ShownItem) else item
        for item in bundle.items
    )
    return replace(bundle, items=items)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_one_bit_changed_in_any_field_is_found(data: st.DataObject) -> None:
    places = data.draw(st.sampled_from([(), SHOWN]))
    value = _value(places)
    bundle = parse_opening(format_json(value))
    name = data.draw(st.sampled_from(sorted(name for name in value if value[name])))
    written, field = format_json(value), format_json({name: value[name]})[1:-1]
    start = written.index(field) + len(name) + 3
    place = data.draw(st.integers(start, written.index(field) + len(field) - 1))
    bent = written[:place] + bytes([written[place] ^ 1]) + written[place + 1 :]
    try:
        verify(parse_opening(bent), b"" if places else None)
    except SafeconductError:
        return
    assert nameless(parse_opening(bent)) == nameless(bundle)


def test_the_places_are_bound_one_by_one() -> None:
    hashes = [places_hash(each) for each in ((), (1,), (2,), (1, 2), (1, 2, 3), (12,))]
    assert len(set(hashes)) == len(hashes)
    assert places_hash((2, 1)) == places_hash((1, 2))
    assert hashes[0] == bytes(32)


# In a claim.


def test_a_small_tip_is_shown_inside_a_claim() -> None:
    examine_inline(format_inline(sealed().file_key, payload()), sealed().record)


INLINE: dict[str, Callable[[], str]] = {
    "another key": lambda: format_inline(bytes(16), payload()),
    "another payload": lambda: format_inline(sealed().file_key, other_payload()),
    "another tip": lambda: format_inline(seal(number=1).file_key, other_payload()),
    "no JSON": lambda: "",
    "another spelling": lambda: format_inline(sealed().file_key, payload()) + " ",
    "a field too many": lambda: format_inline(sealed().file_key, payload()).replace(
        "{", '{"a":1,', 1
    ),
    "a short key": lambda: format_inline(bytes(15), payload()),
    "a lone surrogate": lambda: "\udc00",
    "a number for a text": lambda: '{"file_key":1,"payload":""}',
    "base64 in another spelling": lambda: '{"file_key":"' + "00" * 16 + '","payload":"AB=="}',
}


@pytest.mark.parametrize("text", INLINE.values(), ids=INLINE)
def test_an_inline_opening_that_does_not_hold_is_refused(text: Callable[[], str]) -> None:
    with pytest.raises((MalformedError, UnverifiedError)):
        examine_inline(text(), sealed().record)


def test_a_large_tip_does_not_fit_into_a_claim() -> None:
    large = bytes(INLINE_PAYLOAD_BYTES_MAX + 1)
    with pytest.raises(MalformedError, match="longer than"):
        format_inline(bytes(16), large)
    value: Json = {"file_key": "00" * 16, "payload": "A" * (INLINE_PAYLOAD_BYTES_MAX * 2)}
    with pytest.raises(MalformedError, match="longer than"):
        examine_inline(format_json(value).decode(), sealed().record)


def test_the_origin_of_the_tips_receipt_is_the_ledger() -> None:
    assert verify(by_source()).receipt.logged.origin == LEDGER.name


def test_the_specifications_example_of_places_holds() -> None:
    due = "573396c4173563d13baa0b3ab3d072e5326295af7c3271ce31bfbb9cb8f33c38"
    assert places_hash((1, 3)).hex() == due
