"""Whatever the Gazette may take, the monitor can say in words."""

from safeconduct.parties.monitor.gazette import SENTENCES
from safeconduct.protocol.kinds import GAZETTE_KINDS


def test_every_kind_of_entry_has_its_sentence() -> None:
    assert SENTENCES.keys() == GAZETTE_KINDS
