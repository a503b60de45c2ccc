"""Whether the calls start at ``cps``, by what is on the wire, also after a pause.

Every rate is a task of its own in one daemon.  Counted in the switch's log: the calls over the
whole time, the most in any second wherever it begins, and the most calls at once of a task with a
``limit``.  Then a task that could start many calls is kept from it, by each of these: the operator
pauses it, FreeSWITCH goes away, the daemon is stopped; after it no second may hold more than at any
other time.  Prints one JSON line::

    python -m benchmarks.pacing --seconds 60
    python -m benchmarks.pacing --seconds 420 --rates 0.05 --no-pauses
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence

from benchmarks.measuring import environment
from benchmarks.rig import HOST, Rig, measure, numbers, one_task
from benchmarks.wire import Wire, most_at_once, most_in_a_second
from ctidialer.contract import keys
from ctidialer.contract.control import Order, pause_field

RATES = (0.05, 0.5, 1, 7.5, 20, 50, 100, 250, 500)
AFTER_PAUSE = 50.0
LIMITED = "limited"
LIMIT = 30
TALK = 0.3
SCRIPT: Mapping[str, object] = {"default": {"talk": TALK}}
STOPPED = 3.0
TARGET = {"off_percent": 2, "most_in_a_second": "cps + 1", "most_at_once": "limit"}


async def pace(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Dial at all rates, then with pauses; return the figures."""
    await rig.start(SCRIPT)
    rig.start_daemon()
    wire = Wire(rig.switch.log_path)
    await rig.back_end.push("warm", numbers(1))
    await rig.back_end.write_tables(one_task("warm", "warm", 1))
    await rig.until_recorded(1)
    before = rig.spent()
    rates = await at_rates(rig, wire, given.rates, given.seconds) if given.rates else {}
    spent = rig.spent().since(before)
    pauses = await after_pauses(rig, wire, given.away, given.run) if given.pauses else {}
    return {
        "benchmark": "pacing",
        "target": TARGET,
        "seconds": given.seconds,
        "rates": rates,
        "limit": LIMIT,
        "most_at_once": most_at_once(wire.starts_of(LIMITED), wire.ends_of(LIMITED)),
        "pauses": pauses,
        "daemon_cpu_percent": round(spent.daemon / spent.at * 100, 1),
        "environment": environment(),
    }


async def at_rates(
    rig: Rig, wire: Wire, rates: Sequence[float], seconds: float
) -> dict[str, dict[str, object]]:
    """Dial at every rate at once, and beside them a task that is held by its ``limit`` alone."""
    for cps in (*rates, 0):
        count = round((cps or LIMIT / TALK) * seconds * 1.1) + 50
        await rig.back_end.push(f"numbers-{cps}", numbers(count))
    for cps in rates:
        await rig.back_end.write_tables(one_task(f"cps-{cps}", f"numbers-{cps}", 10_000, cps=cps))
    await rig.back_end.write_tables(one_task(LIMITED, "numbers-0", LIMIT))

    async def have_begun() -> bool:
        wire.look()
        return all(wire.starts_of(f"cps-{cps}") for cps in rates)

    await rig.until(have_begun)
    await rig.pause(seconds + 1)
    await rig.call("DEL", *(f"numbers-{cps}" for cps in (*rates, 0)))
    wire.look()
    return {str(cps): rate(wire.starts_of(f"cps-{cps}"), cps, seconds) for cps in rates}


def rate(times: list[float], cps: float, seconds: float) -> dict[str, object]:
    """Return what came of one rate, over ``seconds`` from the first call on.

    A call is expected at the first moment and every 1 / cps after it.
    """
    counted = [moment for moment in times if moment < times[0] + seconds]
    gaps = len(counted) - 1
    span = counted[-1] - counted[0]
    return {
        "calls": len(counted),
        "off_percent": round((gaps / span / cps - 1) * 100, 2) if gaps else None,
        "most_in_a_second": most_in_a_second(times),
        "allowed": int(cps) + 1,
    }


async def after_pauses(rig: Rig, wire: Wire, away: float, run: float) -> dict[str, object]:
    """Dial at one rate, and keep the task from it in every way; return what each second held.

    It is kept from it ``away`` seconds, and dials ``run`` seconds before and after.
    """
    task, queue = "paused", "numbers-paused"
    await rig.back_end.push(queue, numbers(round(AFTER_PAUSE * 4 * (away + run + 5))))
    await rig.back_end.write_tables(one_task(task, queue, 10_000, cps=AFTER_PAUSE))
    await rig.pause(run)
    figures: dict[str, object] = {"cps": AFTER_PAUSE, "allowed": int(AFTER_PAUSE) + 1}
    for name, pause in PAUSES.items():
        await pause(rig, task, away)
        back = time.time()
        await rig.pause(run)
        wire.look()
        times = wire.starts_of(task)
        figures[name] = {
            "most_in_a_second": most_in_a_second(
                [one for one in times if one >= back - run - away]
            ),
            "calls_after": sum(one >= back for one in times),
        }
    await rig.call("DEL", queue)
    return figures


async def by_operator(rig: Rig, task: str, away: float) -> None:
    """Have the operator pause the task, and resume it."""
    key, field = keys.control(HOST), pause_field(task)
    await rig.call("HSET", key, field, Order().encode())
    await rig.back_end.publish(keys.CONTROL, field)
    await rig.pause(away)
    await rig.call("HDEL", key, field)
    await rig.back_end.publish(keys.CONTROL, field)


async def by_switch(rig: Rig, task: str, away: float) -> None:
    """Kill FreeSWITCH, and have it come back."""
    address = f"127.0.0.1:{rig.switch.port}"
    await rig.switch.kill()
    await rig.pause(away)
    await rig.start_switch(SCRIPT, listen=address)


async def by_stop(rig: Rig, task: str, away: float) -> None:
    """Stop the daemon, as a machine that swaps or is suspended does, shorter than its lease."""
    assert rig.daemon is not None
    rig.daemon.pause()
    await rig.pause(min(away, STOPPED))
    rig.daemon.go_on()


PAUSES = {"operator": by_operator, "freeswitch_away": by_switch, "daemon_stopped": by_stop}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rates", type=float, nargs="*", default=RATES, help="calls per second")
    parser.add_argument("--away", type=float, default=10, help="seconds of a pause")
    parser.add_argument("--run", type=float, default=12, help="seconds between two pauses")
    parser.add_argument("--no-pauses", action="store_false", dest="pauses")
    given = parser.parse_args(arguments)
    measure(lambda rig: pace(rig, given))


if __name__ == "__main__":
    main()
