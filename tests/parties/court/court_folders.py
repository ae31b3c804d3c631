"""What a court is handed: opening folders, a public folder and a policy, as files."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tests.protocol import builders
from tests.protocol.opening_builders import LATER, by_source, payload, shown

from safeconduct.parties.court.gazette import Ground, load_ground
from safeconduct.protocol.opening import OpeningBundle, format_opening
from safeconduct.protocol.tip import member_name
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.tile import bundle_path, format_bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Desktop:
    """A clerk's folder, with `policy.txt` and `public/`, and openings beside them."""

    root: Path

    @property
    def ground(self) -> Ground:
        return load_ground(self.root / "policy.txt", self.root / "public")

    def arguments(self) -> tuple[str, ...]:
        """What every verb is told."""
        return (
            *("--policy", str(self.root / "policy.txt")),
            *("--gazette", str(self.root / "public")),
        )

    def whole(self, bundle: OpeningBundle | None = None, name: str = "opened") -> Path:
        """A folder in which the whole tip is opened."""
        folder = self.root / name
        folder.mkdir()
        (folder / "opening.json").write_bytes(format_opening(bundle or by_source()))
        (folder / "payload").write_bytes(payload())
        return folder

    def some(
        self,
        places: Collection[int] = (1, 3),
        bundle: OpeningBundle | None = None,
        name: str = "opened",
    ) -> Path:
        """A folder in which these files are shown."""
        folder = self.root / name
        (folder / "items").mkdir(parents=True)
        (folder / "opening.json").write_bytes(format_opening(bundle or by_source(places)))
        for place in places:
            (folder / "items" / member_name(place)).write_bytes(b"".join(shown(place)))
        return folder


def make_desktop(root: Path, tree: str = "public/gazette") -> Desktop:
    """A desktop whose Gazette lies in the folder `tree`."""
    entries = builders.gazette_entries()
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    note = builders.checkpoint_note(frontier, LATER, builders.GAZETTE)
    folder = root / tree
    bundle = folder / bundle_path(0, len(entries))
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(format_bundle(entries))
    (folder / "checkpoint").write_bytes(format_note(note))
    (root / "policy.txt").write_text(builders.POLICY_TEXT)
    return Desktop(root=root)
