"""What the steps of one call cost Redis, counted over hosts or not, by how many come together.

There is no switch and no daemon: numbers are claimed, noted and settled in batches, one right after
the other, as a busy host does it.  What is not counted and what is take turns.  The CPU time is all
that Redis uses.  Prints one JSON line::

    python -m benchmarks.place_steps --calls 30000
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import median

from twisted.internet.defer import gatherResults

from benchmarks.measuring import environment
from benchmarks.rig import HOST, Rig, cpu_seconds, measure, numbers
from ctidialer.contract import keys
from ctidialer.contract.counted import Counted
from ctidialer.contract.task import Side
from ctidialer.store.in_flight import Claimed, Dialing, dialing_line
from ctidialer.store.store import Store

QUEUE = "bench_numbers"
TRUNK = keys.counted_calls("bench", "gateway", "trunk")
DIALING = Dialing("0b0e0a52-7c5a-4e4f-9f63-6f1b8a6a0001", "a", "g", 1)
RECORD = b"1" * 400
ROUNDS = 10
MANY = 10_000
QUICK = 1e6
"""Starts a second: more than come, so nothing waits."""

TARGET = {"count_more": 10, "count_and_rate_more": 10}

WAYS: dict[str, Sequence[Counted]] = {
    "not_counted": (),
    "count": (Counted(TRUNK, MANY),),
    "count_and_rate": (Counted.of(TRUNK, MANY, QUICK),),
}


class Calls:
    """The steps of calls on one host."""

    def __init__(self, store: Store, counted: Sequence[Counted]) -> None:
        self._store = store
        self._counted = counted

    async def make(self, count: int) -> None:
        """Claim so many numbers, note their calls, and settle them; all leave their places."""
        claimed = await self._store.claim(QUEUE, Side.LEFT, count, task="t")
        await self._note(claimed)
        if self._counted:
            for one in claimed:  # they go with the places that the next calls take
                self._store.places.leave(one.id, self._counted, can_wait=True)
        await gatherResults([self._store.settle(one.id, RECORD) for one in claimed])

    async def _note(self, claimed: Sequence[Claimed]) -> None:
        if not self._counted:
            notes = [self._store.note_dialing(one.id, DIALING) for one in claimed]
            await gatherResults(notes)
            return
        line = dialing_line(DIALING)
        taking = [self._store.places.take(one.id, self._counted, (one.id, line)) for one in claimed]
        taken = await gatherResults(taking)
        # What starts a little later is noted when it does.
        late = [one for one, answer in zip(claimed, taken, strict=True) if answer.noted is None]
        await gatherResults([self._store.note_dialing(one.id, DIALING) for one in late])


async def run(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Measure each number of calls that come together."""
    await rig.start_redis()
    store = Store(rig.link, HOST, "bench", 1000, lease=3600.0)
    await store.acquire_lease()
    figures = {str(many): await cost(rig, store, many, given.calls) for many in given.together}
    return {
        "benchmark": "place_steps",
        "target": TARGET,
        "by_together": figures,
        "environment": environment(),
    }


async def cost(rig: Rig, store: Store, together: int, calls: int) -> dict[str, float]:
    """Return the microseconds of Redis for a call, in each way: the median of some rounds."""
    batches = max(1, calls // ROUNDS // together)
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, counted in WAYS.items():
            await rig.back_end.push(QUEUE, numbers(batches * together))
            before = cpu_seconds(rig.redis.pid)
            for _ in range(batches):
                await Calls(store, counted).make(together)
            await store.places.all_left()
            used = cpu_seconds(rig.redis.pid) - before
            found[way].append(used / (batches * together) * 1e6)
    figures = {way: round(median(some), 1) for way, some in found.items()}
    plain = figures["not_counted"]
    more = {f"{way}_more": round(figures[way] - plain, 1) for way, some in WAYS.items() if some}
    return {**figures, **more}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--together", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--calls", type=int, default=30_000, help="in each way")
    given = parser.parse_args(arguments)
    measure(lambda rig: run(rig, given))


if __name__ == "__main__":
    main()
