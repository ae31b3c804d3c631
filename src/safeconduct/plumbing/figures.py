"""Figures for Prometheus: the one door to its client library.

    # HELP safeconduct_log_tree_size Entries of the log, as last verified.
    # TYPE safeconduct_log_tree_size gauge
    safeconduct_log_tree_size{log="ledger"} 73894.0

A caller states all its figures at once, as values; nothing is counted behind its back, and no
figure of the process or the machine is added. Figures are kept for years and shown to many: a
label names a party or a kind, never a person, an entry or a hash.

Spec: Prometheus text exposition format 0.0.4.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
LABEL_CHARACTERS_MAX = 255

_NAME = re.compile(r"safeconduct(_[a-z0-9]+)+")
_LOOKS_LIKE_A_HASH = re.compile(r"[0-9a-fA-F]{32}|[0-9A-Za-z+/]{43}=")
_FAMILIES: dict[str, type[GaugeMetricFamily] | type[CounterMetricFamily]] = {
    "gauge": GaugeMetricFamily,
    "counter": CounterMetricFamily,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value, told apart from others of its figure by `labels`."""

    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A named figure: a `gauge`, or a `counter`, which only grows and is called `…_total`."""

    name: str
    about: str
    samples: tuple[Sample, ...]
    kind: str = "gauge"


def figure(
    name: str, about: str, values: Mapping[str, float], label: str, *, kind: str = "gauge"
) -> Figure:
    """A figure whose values are told apart by one label."""
    samples = tuple(Sample(value=value, labels={label: text}) for text, value in values.items())
    return Figure(name=name, about=about, samples=samples, kind=kind)


def number(name: str, about: str, value: float, *, kind: str = "gauge") -> Figure:
    """A figure of one value, without labels."""
    return Figure(name=name, about=about, samples=(Sample(value=value, labels={}),), kind=kind)


def format_figures(figures: Iterable[Figure]) -> bytes:
    """All figures in Prometheus's text format, to be served as `CONTENT_TYPE`.

    Raises:
        ValueError: a name is not `safeconduct_…`, or a label holds what looks like a hash.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given([_family(each) for each in figures]))
    return generate_latest(registry)


class _Given(Collector):
    """What the library asks for its figures; the one place where it wants a class of ours."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families

    def describe(self) -> Iterator[Metric]:
        yield from ()


def _family(figure: Figure) -> Metric:
    if not _NAME.fullmatch(figure.name):
        raise ValueError(f"{figure.name}: a figure is called safeconduct_…")
    names = sorted({name for sample in figure.samples for name in sample.labels})
    family = _FAMILIES[figure.kind](figure.name, figure.about, labels=names)
    for sample in figure.samples:
        values = [_check_label(sample.labels[name]) for name in names]
        family.add_metric(values, sample.value)
    return family


def _check_label(text: str) -> str:
    if len(text) > LABEL_CHARACTERS_MAX or _LOOKS_LIKE_A_HASH.search(text):
        raise ValueError("a figure's label is short, and no hash")
    return text
