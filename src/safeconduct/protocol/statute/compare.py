"""Times and periods against one another, where neither need be known to the second.

A comparison is true or false where it comes out so for every second that is possible, and
unknown otherwise. A period is four seconds: the earliest and latest at which it can have
begun, and at which it can have ended.
"""

from typing import TypeAlias

from safeconduct.protocol.statute.calendar import Interval
from safeconduct.protocol.statute.proof import Truth

Bounds: TypeAlias = tuple[int, int, int, int]  # begin: earliest, latest; end: earliest, latest


def precedes(time: Interval, limit: Interval) -> Truth:
    """Whether `time` lies before `limit`, which itself is no longer before it."""
    if limit.earliest is not None and time.latest < limit.earliest:
        return True
    if time.earliest is not None and time.earliest >= limit.latest:
        return False
    return None


def not_later(time: Interval, limit: Interval) -> Truth:
    """Whether `time` lies before `limit` or at it."""
    if limit.earliest is not None and time.latest <= limit.earliest:
        return True
    if time.earliest is not None and time.earliest > limit.latest:
        return False
    return None


def falls_in(time: Interval, period: Bounds) -> Truth:
    """Whether `time` lies in a period, both ends of which belong to it."""
    begin, latest_begin, earliest_end, end = period
    if time.latest < begin or (time.earliest is not None and time.earliest > end):
        return False
    within = time.earliest is not None and time.earliest >= latest_begin
    return True if within and time.latest <= earliest_end else None


def lies_in(inner: Bounds, outer: Bounds) -> Truth:
    """Whether a period lies wholly in another."""
    if inner[1] < outer[0] or inner[2] > outer[3]:
        return False
    return True if inner[0] >= outer[1] and inner[3] <= outer[2] else None


def touches(one: Bounds, other: Bounds) -> Truth:
    """Whether two periods share at least a second."""
    if one[3] < other[0] or other[3] < one[0]:
        return False
    return True if one[1] <= other[2] and other[1] <= one[2] else None
