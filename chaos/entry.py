"""The daemon's entry in the test build: ``python -m chaos.entry ORDERS <what twistd takes>``.

ORDERS is a JSON object: ``{"break_settle": N}`` loses the record of one number in N and writes that
of another one twice; ``{"stop_at": POINT, "count": N}`` kills the process when it comes to POINT of
:mod:`chaos.stop_points` for the Nth time; ``{"clock_jump": SECONDS}`` sets the clock that this
process sees on by so much at each SIGUSR2; ``{"break_count": true}`` takes places that hosts share
also where there is none; ``{"break_adopt": true}`` sends all back that a host which is gone had in
flight; ``{}`` changes nothing.  None of this is in the product.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from types import FrameType
from typing import Any
from zlib import crc32

from twisted.internet.defer import Deferred, succeed

from chaos.stop_points import around, stop_at
from ctidialer.contract import keys
from ctidialer.nodes.left_over import LeftOver
from ctidialer.store import ending, places
from ctidialer.store.scripts import Script
from ctidialer.store.store import Store

USED = b"zset.taken + zset.kept"
"""How the scripts say how many places there are no more."""


def break_settle(one_in: int) -> None:
    """Let the store lose the records of some numbers, and write those of others twice."""

    def wrap(whole: Any) -> Any:
        def settle(self: Any, entry_id: str, record: bytes, **more: Any) -> Deferred[Any]:
            chance = crc32(entry_id.encode()) % one_in
            host = json.loads(record)["host"]
            done: Deferred[Any] = succeed(None)
            if chance == 0:
                done = self._link.call("HDEL", keys.in_flight(host), entry_id)
            elif chance == 1:
                done = self._link.call("XADD", keys.records(host), "*", "record", record)
            return done.addCallback(lambda _: whole(self, entry_id, record, **more))

        return settle

    around(Store, "settle", wrap)


def break_count() -> None:
    """Let there always be a place for a call."""
    for module, name in (
        (places, "PLACES"),
        (places, "PLACE_QUEUE"),
        (ending, "SETTLE_AND_LEAVE"),
        (ending, "WAIT_AND_LEAVE"),
    ):
        text = getattr(module, name).text
        if USED not in text:
            raise ValueError(f"the script {name} does not ask whether there is a place")
        setattr(module, name, Script.of(text.replace(USED, b"0")))


def break_adopt() -> None:
    """Let no number of a host that is gone have been called."""
    around(LeftOver, "never_called", lambda _: property(lambda _: True))


def let_the_clock_jump(seconds: float) -> None:
    """Set the wall clock of this process on by ``seconds`` at each SIGUSR2."""
    from twisted.internet import reactor

    true_time = time.time
    offset = [0.0]

    def jump(number: int, frame: FrameType | None) -> None:
        offset[0] += seconds

    def jumpy_time() -> float:
        return true_time() + offset[0]

    for owner, name in ((time, "time"), (reactor, "seconds")):
        setattr(owner, name, jumpy_time)
    signal.signal(signal.SIGUSR2, jump)


def main() -> None:
    """Patch what is ordered, then be ``twistd``."""
    orders = json.loads(sys.argv[1])
    if "break_settle" in orders:
        break_settle(orders["break_settle"])
    if "break_count" in orders:
        break_count()
    if "break_adopt" in orders:
        break_adopt()
    if "stop_at" in orders:
        stop_at(orders["stop_at"], orders.get("count", 1))
    if "clock_jump" in orders:
        let_the_clock_jump(orders["clock_jump"])
    sys.argv = ["twistd", *sys.argv[2:]]
    from twisted.scripts.twistd import run

    run()


if __name__ == "__main__":
    main()
