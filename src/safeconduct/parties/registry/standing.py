"""What the register may say of somebody today: where they stand, since when, under which name.

Everything is worked out anew from what was published and the day: what has ended by its own
time has ended though nobody published it. Who is no longer listed is never shown as listed, and
keeps a name here only where the law lets them, or they wished it.

Spec: docs/3-protocol.md §16.2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from safeconduct.parties.registry.book import Book, Entry
from safeconduct.parties.registry.feeds import FeedEntry, read_feed
from safeconduct.parties.registry.receive import Registry
from safeconduct.protocol.listing import END_CAUSES

ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One subject on one day; `listings` are theirs as they may be shown, the oldest first."""

    subject: str
    newest: Entry
    listings: tuple[FeedEntry, ...]

    @property
    def listing(self) -> FeedEntry | None:
        """The newest listing, if one can be shown."""
        return self.listings[-1] if self.listings else None

    @property
    def is_listed(self) -> bool:
        """Whether a listing of theirs has effects today."""
        return any(each.active for each in self.listings)

    @property
    def word(self) -> str:
        """Where they stand, in words."""
        if self.newest.favours:
            return self.newest.standing
        over = self.listing is not None and not self.is_listed
        return (
            ENDED
            if over or self.newest.record.word("standing") in END_CAUSES
            else (self.newest.standing)
        )

    @property
    def favours(self) -> bool:
        """Whether the law was applied in their favour."""
        return self.newest.favours

    @property
    def since(self) -> str:
        """The day since when they stand there, such as 2027-06-01, or nothing."""
        return self.listing.ended_on if self.word == ENDED and self.listing else ""

    @property
    def name(self) -> str:
        """The name under which they were listed last; empty where it must not be shown."""
        return self.listing.name if self.listing else ""

    @property
    def names(self) -> frozenset[str]:
        """Every name of theirs that may be shown."""
        return frozenset(each.name for each in self.listings if each.name and self.name)


def standings(
    registry: Registry, book: Book, subjects: Iterable[str]
) -> Mapping[str, Standing]:
    """By subject, where each stands now; without those that nothing was published about."""
    wanted = [each for each in subjects if book.about(each)]
    feed = read_feed(registry, book.of(wanted), registry.seconds())
    listings: dict[str, list[FeedEntry]] = {each: [] for each in wanted}
    for entry in feed.entries:
        listings[entry.subject].append(entry)
    return {
        each: Standing(subject=each, newest=book.about(each)[0], listings=tuple(listings[each]))
        for each in wanted
    }


def standing_of(registry: Registry, book: Book, subject: str) -> Standing | None:
    """Where one subject stands now; None if nothing was published about them."""
    return standings(registry, book, (subject,)).get(subject)
