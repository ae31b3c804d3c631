"""Which credit a tip may have: the law, the class and the period that it names.

Spec: docs/3-protocol.md §24.
"""

from safeconduct.errors import RefusedError
from safeconduct.parties.desk.store import Tip
from safeconduct.protocol.credit import group_for
from safeconduct.protocol.gazette import CreditGroup, GazetteState, StatuteVersion
from safeconduct.protocol.record import parse_record
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.lint import ungraded_tips
from safeconduct.protocol.statute.load import load_statute


def group_of(state: GazetteState, tip: Tip, grade: str) -> CreditGroup:
    """The group under the tip's own law, or else under the newest that has credits for it.

    Raises:
        RefusedError: neither has any, or some law would count the tip a second time.
    """
    own = state.statute(parse_record(tip.record).hash("statute"))
    _check_graded_only(state, own)
    statutes = [own.sha256, state.statutes[-1].sha256]
    refusals = []
    for statute in statutes:
        try:
            return group_for(state, statute, grade, tip.logged_by)
        except RefusedError as error:
            refusals.append(error)
    raise refusals[0]


def _check_graded_only(state: GazetteState, own: StatuteVersion) -> None:
    """Check that no law that the tip could be claimed under counts it without its grade.

    The desk keeps the grade of a credited tip to itself; where nobody asks for the grade, such
    a tip would count once as a credit and once more as a tip.
    """
    for version in state.statutes[own.number - 1 :]:
        if any(ungraded_tips(load_statute(version.law))):
            raise RefusedError(
                f"no credit for this tip: version {version.number} of the law counts it without"
                " its grade, so that it could be claimed with all the same"
            )


def period_end(state: GazetteState, group: CreditGroup) -> str:
    """When the group's period ends: its tips were logged before."""
    terms = load_statute(state.statute(group.statute).law).credits
    assert terms is not None
    return format_instant(terms.periods[group.period - 1])
