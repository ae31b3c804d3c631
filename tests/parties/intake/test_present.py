"""The door's present is its clock's, unless a quorum has vouched for a later one."""

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st
from tests.parties.intake.door_world import NOW, gazette_view
from tests.protocol import builders

from safeconduct.parties.intake.present import Present

HOUR = 3_600


@dataclass
class Clocks:
    """A machine's two clocks; only one of them can be set."""

    wall: int = NOW
    steady: int = 500
    present: Present = field(init=False)

    def __post_init__(self) -> None:
        self.present = Present(lambda: self.wall, lambda: self.steady)

    def pass_by(self, seconds: int) -> None:
        self.wall += seconds
        self.steady += seconds


def test_before_anything_is_vouched_for_it_is_the_clock() -> None:
    clocks = Clocks()
    assert clocks.present.seconds() == NOW
    clocks.wall -= HOUR
    assert clocks.present.seconds() == NOW - HOUR


def test_a_clock_that_is_set_back_changes_nothing_but_the_seconds_since_a_reading() -> None:
    clocks = Clocks()
    clocks.present.vouched(NOW - 5)
    for back in (HOUR, 24 * HOUR):
        clocks.wall = NOW - back
        assert clocks.present.seconds() == NOW - 5
    clocks.pass_by(60)
    assert clocks.present.seconds() == NOW + 55
    clocks.wall = NOW + 60
    assert clocks.present.seconds() == NOW + 60


def test_an_old_reading_moves_nothing() -> None:
    clocks = Clocks()
    clocks.present.vouched(NOW)
    clocks.pass_by(100)
    clocks.present.vouched(NOW)
    clocks.wall = 0
    assert clocks.present.seconds() == NOW + 100


def test_each_reading_of_the_gazette_is_taken_note_of() -> None:
    view = gazette_view(builders.gazette_entries())
    later = replace(view, cosigned=replace(view.cosigned, vouched_at=NOW + HOUR))
    clocks = Clocks()
    assert clocks.present.watching(lambda: later)() is later
    assert clocks.present.seconds() == NOW + HOUR


@given(
    st.lists(
        st.tuples(st.sampled_from(["pass", "set", "vouch"]), st.integers(-9_999, 9_999)),
        max_size=30,
    )
)
def test_it_never_goes_back_behind_what_was_vouched_for(steps: list[tuple[str, int]]) -> None:
    clocks, least = Clocks(), 0
    for deed, number in steps:
        if deed == "pass":
            clocks.pass_by(abs(number))
            least += abs(number) if least else 0
        elif deed == "set":
            clocks.wall = NOW + number
        else:
            clocks.present.vouched(NOW + number)
            least = max(least, NOW + number)
        assert clocks.present.seconds() >= max(least, clocks.wall)
