"""What one complete call costs the daemon: claim, note, originate, its events, record.

Real Redis (or Valkey), the simulated switch in a process of its own, the real ``twistd ctidialer``;
crash safety on, for it cannot be switched off, and Redis with ``appendfsync always``.  CPU time of
the daemon's process is read from the system before the numbers are pushed and after the last
record, so that its start does not count.

Prints one JSON line::

    python -m benchmarks.whole_dialer --numbers 20000 --limit 600
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.rig import Rig, Spent, measure, numbers, one_task
from ctidialer.contract.record import Outcome

TASK = "bench"
QUEUE = "bench_numbers"
LIST = "bench_dnc"


async def dial(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Dial everything and return the figures."""
    call: dict[str, object] = {"result": "answer", "talk": given.talk}
    if given.bridge:
        call |= {"progress": "ringing", "bridge": given.talk / 2}
        call |= {"variables": {"cc_agent": "1001@default"}}
    await rig.start({"default": call})
    await rig.back_end.write_tables(one_task(TASK, QUEUE, given.limit, **callee_rules(given)))
    if given.rules:
        await rig.back_end.call("SADD", LIST, *(f"139{index:08d}" for index in range(10_000)))
    rig.start_daemon(more='[records]\nevents = "bench_events"\n' if given.events else "")
    await rig.back_end.push(QUEUE, numbers(given.warm_up))
    await rig.until_recorded(given.warm_up)
    before = rig.spent()
    await rig.back_end.push(QUEUE, numbers(given.numbers, start=given.warm_up))
    await rig.until_recorded(given.warm_up + given.numbers)
    spent = rig.spent().since(before)
    return figures(given, spent, await answered(rig) - given.warm_up)


def callee_rules(given: argparse.Namespace) -> dict[str, object]:
    """Return what the task says of its callees: a list and two limits, which forbid nothing."""
    if not given.rules:
        return {}
    caps = [{"count": 3, "time": 86400}, {"count": 1, "time": 604800, "talk": True}]
    rules: dict[str, object] = {"dnc": [LIST], "callee_limit": caps}
    return rules | ({"callee_region": given.region} if given.region else {})


async def answered(rig: Rig) -> int:
    """Return how many numbers were answered at their first call; else it was another work."""
    records = await rig.records()
    return sum(
        record.outcome is Outcome.ANSWERED and len(record.attempts) == 1 for record in records
    )


def figures(given: argparse.Namespace, spent: Spent, answered: int) -> dict[str, object]:
    """Return what was measured."""
    count = given.numbers
    return {
        "benchmark": "whole_dialer",
        "calls": count,
        "answered": answered,
        "limit": given.limit,
        "talk_seconds": given.talk,
        "bridge": given.bridge,
        "events": given.events,
        "rules": given.rules,
        "region": given.region,
        "wall_seconds": round(spent.at, 2),
        "calls_per_second": round(count / spent.at),
        "daemon_cpu_us_per_call": round(spent.daemon / count * 1e6),
        "switch_cpu_us_per_call": round(spent.switch / count * 1e6),
        "redis_cpu_us_per_call": round(spent.redis / count * 1e6),
        "calls_per_second_of_a_core": round(count / spent.daemon),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--numbers", type=int, default=20_000)
    parser.add_argument("--limit", type=int, default=600, help="calls at once")
    parser.add_argument("--talk", type=float, default=0.2, help="seconds of each call")
    parser.add_argument("--bridge", action="store_true", help="calls ring, and meet an agent")
    parser.add_argument("--events", action="store_true", help="with the stream of events")
    parser.add_argument("--rules", action="store_true", help="with a list and limits for callees")
    parser.add_argument("--region", default="", help="of callee_region, with --rules: CN")
    parser.add_argument("--warm-up", type=int, default=2_000, help="calls before it counts")
    given = parser.parse_args(arguments)
    measure(lambda rig: dial(rig, given))


if __name__ == "__main__":
    main()
