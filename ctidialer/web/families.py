"""Families of metrics that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily

Samples = Iterable[tuple[tuple[str, ...], float]]


def gauge(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> GaugeMetricFamily:
    """Return a gauge with one sample for each set of values of its labels."""
    family = GaugeMetricFamily(f"ctidialer_{name}", text, labels=labels)
    for values, number in samples:
        family.add_metric(list(values), number)
    return family


def single(name: str, text: str, value: float) -> GaugeMetricFamily:
    """Return a gauge without labels."""
    return GaugeMetricFamily(f"ctidialer_{name}", text, value=float(value))


def by(counts: Mapping[str, int]) -> list[tuple[tuple[str, ...], float]]:
    """Return counts as samples of one label."""
    return [((name,), float(count)) for name, count in sorted(counts.items())]


def sendable(name: str) -> str:
    """Return a name as it can be sent: half a surrogate pair cannot."""
    return name.encode("utf-8", "replace").decode()
