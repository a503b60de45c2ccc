"""What it takes to find where a callee is, by his number: the first time, and when it is known.

No other process takes part.  Prints one JSON line: for each country the microseconds a number, the
median of several rounds, and those of a list's spellings beside them::

    python -m benchmarks.callee_zone --numbers 10000 --rounds 5
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from benchmarks.measuring import environment
from ctidialer.rules import callee_zone

TARGET = {"us_per_number": 30}
COUNTRIES: Mapping[str, tuple[str, int, str | None]] = {
    "CN, national": ("138", 8, "CN"),
    "CN, with +86": ("+86138", 8, None),
    "US, national": ("212", 7, "US"),
    "US, with +1": ("+1303", 7, None),
    "GB, national": ("020", 8, "GB"),
    "DE, national": ("030", 8, "DE"),
    "AU, national": ("02", 8, "AU"),
    "RU, national": ("8495", 7, "RU"),
}
"""How numbers begin, how many digits follow, and the region by which they are read."""


def numbers(start: str, digits: int, count: int, chance: random.Random) -> list[str]:
    """Return numbers of one place, none twice; the first digit behind the start is 2 to 9."""
    lowest = 2 * 10 ** (digits - 1)
    return [f"{start}{tail}" for tail in chance.sample(range(lowest, 10**digits), count)]


def microseconds(
    of: Callable[[str, str | None], object], given: Iterable[str], region: str | None
) -> float:
    """Return the CPU time of ``of`` for each number."""
    given = list(given)
    began = time.process_time()
    for number in given:
        of(number, region)
    return (time.process_time() - began) / len(given) * 1e6


def measured(country: tuple[str, int, str | None], count: int, rounds: int) -> dict[str, float]:
    """Return the figures of one country; what the library loads once is loaded before."""
    start, digits, region = country
    chance = random.Random(start)
    found: dict[str, list[float]] = {"first": [], "known": [], "spellings": []}
    for index in range(rounds + 1):
        callee_zone.zones_of.cache_clear()
        fresh = numbers(start, digits, count, chance)
        figures = {
            "first": microseconds(callee_zone.zones_of, fresh, region),
            "known": microseconds(callee_zone.zones_of, fresh, region),
            "spellings": microseconds(callee_zone.spellings, fresh, region),
        }
        for name, figure in figures.items() if index else ():
            found[name].append(figure)
    return {name: round(median(figures), 2) for name, figures in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--numbers", type=int, default=10_000, help="at most what is remembered")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    countries = {
        name: measured(country, given.numbers, given.rounds) for name, country in COUNTRIES.items()
    }
    figures = {"benchmark": "callee_zone", "target": TARGET, "us_per_number": countries}
    print(json.dumps({**figures, "environment": environment()}), flush=True)


if __name__ == "__main__":
    main()
