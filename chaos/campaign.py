"""The campaign: numbers go in, faults strike, everything is left alone, and then it is audited."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, gatherResults

from chaos.auditor import Evidence, Findings, Moment, Written, examine
from chaos.faults import Fault, Strike, plan_faults
from chaos.load import CDR_LIST, HOST, MOST_CALLS, QUEUES, SILENT, Load, plan_load, script, tables
from chaos.site import Site
from chaos.strikes import HarnessProblem, Strikes
from ctidialer.contract import keys
from ctidialer.contract.record_document import decode_record
from ctidialer.stage.back_end import BackEnd, StageProgress
from ctidialer.stage.watching import Stalled, watch
from ctidialer.store.errors import StoreError

LOOK = 0.1
SETTLED = 0.3
"""Seconds after a fault until which the last notes that were under way are written."""

MOVES_WITHIN = 20.0
"""Seconds for which a fault waits for the campaign to move on; then it strikes all the same."""

STALLED = 90.0
"""Seconds without anything moving, after the last fault, that make the campaign a failure.

A scheduled number for which no line was free comes again after 60.
"""

BATCH = 500
SCHEDULE = keys.at(keys.SCHEDULE_NUMBER, HOST)
GOOD_ENDS = frozenset({0, 143, -15, -9})
REFUSED = 1
# Every portion is put in once, whatever becomes of the answer.
PUT_ONCE = """
if redis.call('SADD', KEYS[2], ARGV[2]) == 0 then return 0 end
for index = 3, #ARGV, 2 do
    if ARGV[1] == 'list' then
        redis.call('RPUSH', KEYS[1], ARGV[index])
    else
        redis.call('ZADD', KEYS[1], ARGV[index + 1], ARGV[index])
    end
end
return 1
"""


@frozen
class Plan:
    """What to do.  ``break_settle``: see :mod:`chaos.entry`; 0 = the daemon is whole."""

    seed: int
    numbers: int
    faults: int
    break_settle: int = 0


@frozen
class Report:
    """How it went; ``problems`` are what the harness itself saw go wrong."""

    plan: Plan
    struck: tuple[Fault, ...]
    findings: Findings
    statuses: dict[int, int]
    seconds: float
    drained_after: float
    problems: tuple[str, ...] = field(factory=tuple)

    @property
    def faults(self) -> tuple[str, ...]:
        """All that is not as it should be, as sentences."""
        return (*self.findings.faults, *self.problems)


class Campaign:
    """One campaign in ``directory``; ``say`` is told each step."""

    def __init__(
        self, reactor: Any, plan: Plan, directory: Path, say: Callable[[str], None]
    ) -> None:
        orders = {"break_settle": plan.break_settle} if plan.break_settle else {}
        self._reactor = reactor
        self._plan = plan
        self._say = say
        self._site = Site(reactor, directory, script(plan.seed), orders)
        self._strikes = Strikes(self._site)
        self._load: Load
        self._moments: list[Moment] = []
        self._problems: list[str] = []

    async def run(self) -> Report:
        """Run it all."""
        began = self._reactor.seconds()
        try:
            await self._site.start()
            await self._site.back_end.write_tables(tables())
            self._load = plan_load(self._plan.seed, self._plan.numbers, began)
            self._site.supervisor.start()
            faults = plan_faults(self._plan.seed, self._plan.faults)
            putting_in = Deferred.fromCoroutine(self._put_in())
            for fault in faults:
                await self._one_fault(fault)
            await putting_in
            quiet = self._reactor.seconds()
            await self._until_drained()
            drained_after = self._reactor.seconds() - quiet
            status = await self._site.supervisor.stop()
            findings = examine(await self._evidence())
            self._check_daemons(status)
            return Report(
                self._plan,
                faults,
                findings,
                dict(self._site.supervisor.statuses),
                self._reactor.seconds() - began,
                drained_after,
                tuple(self._problems),
            )
        finally:
            await self._site.end()

    # --- what is put in -----------------------------------------------------------------------

    async def _put_in(self) -> None:
        """Put half of the numbers in at once, and the others while the faults strike."""
        portions = list(_portions(self._load))
        for index, (key, kind, values) in enumerate(portions):
            while index > len(portions) / 2 and self._share() < index / len(portions) - 0.1:
                await self._pause(LOOK)
            flat = [part for pair in values for part in pair]
            await self._site.call("EVAL", PUT_ONCE, 2, key, "portions", kind, index, *flat)

    def _share(self) -> float:
        """Return which share of the faults has struck."""
        return len(self._moments) / self._plan.faults if self._plan.faults else 1.0

    # --- the faults ---------------------------------------------------------------------------

    async def _one_fault(self, fault: Fault) -> None:
        if not fault.is_hot:
            await self._until_moved(fault.number)
        await self._pause(fault.pause)
        began, noted = self._reactor.seconds(), set[str]()
        self._say(f"fault {fault}")

        async def look() -> None:
            noted.update(await self._site.noted() or ())

        await look()
        striking = gatherResults(
            [Deferred.fromCoroutine(self._strike(strike, look)) for strike in fault.strikes]
        )
        await look()
        await striking
        await look()
        await self._pause(SETTLED)
        await look()
        self._moments.append(Moment(began, frozenset(noted)))

    async def _strike(self, strike: Strike, look: Callable[[], Any]) -> None:
        try:
            await self._strikes.strike(strike, look)
        except HarnessProblem as error:
            self._problems.append(f"{strike.kind.value}: {error}")

    async def _until_moved(self, number: int) -> None:
        """Wait until the campaign is as far as the faults are, so that both end together."""
        wanted = 0.95 * self._plan.numbers * (number - 1) / self._plan.faults
        give_up = self._reactor.seconds() + MOVES_WITHIN
        first = await self._state()
        while self._reactor.seconds() < give_up:
            now = await self._state()
            if now is not None and first is not None:
                if now.recorded >= wanted and now.recorded > first.recorded:
                    return
                if now.queued == 0 and now.in_flight == 0:
                    return
            await self._pause(LOOK)
            first = first or now

    # --- the end ------------------------------------------------------------------------------

    async def _until_drained(self) -> None:
        self._say("everything is left alone")
        try:
            await watch(self._reactor, self._state, _is_drained, STALLED, LOOK)
        except Stalled as error:
            self._problems.append(str(error))

    async def _state(self) -> StageProgress | None:
        """Return how far the campaign has got; None = Redis is away."""
        try:
            return await BackEnd(self._site.link.call, HOST).progress(QUEUES, SCHEDULE)
        except StoreError:
            return None

    async def _evidence(self) -> Evidence:
        call = self._site.call
        left = [entry for queue in QUEUES for entry in await call("LRANGE", queue, 0, -1)]
        left += await call("ZRANGE", SCHEDULE, 0, -1)
        listed = await call("LRANGE", CDR_LIST, 0, -1)
        return Evidence(
            entries=self._load.entries,
            left=left,
            in_flight=await call("HLEN", keys.in_flight(HOST)),
            records=await self._records(),
            cdr_ids=[decode_record(raw).id for raw in listed],
            log=self._site.call_log(),
            moments=self._moments,
            most_calls=MOST_CALLS,
            silent=SILENT,
        )

    async def _records(self) -> list[Written]:
        written: list[Written] = []
        after = "-"
        while True:
            reply = await self._site.call("XRANGE", keys.records(HOST), after, "+", "COUNT", 1000)
            if not reply:
                return written
            for stamp, fields in reply:
                milliseconds = int(stamp.partition(b"-")[0])
                written.append(Written(decode_record(fields[1]), (milliseconds + 1) / 1000))
            after = f"({reply[-1][0].decode()}"

    def _check_daemons(self, status: int) -> None:
        if status not in GOOD_ENDS:
            self._problems.append(f"the last daemon ended with status {status}")
        odd = set(self._site.supervisor.statuses) - GOOD_ENDS - {REFUSED}
        self._problems += [f"a daemon ended with status {one}" for one in sorted(odd)]
        text = self._site.supervisor.current.output.read_text("utf-8", "replace")
        self._problems += [f"in the daemon's log: {line}" for line in _tracebacks(text)]

    async def _pause(self, seconds: float) -> None:
        await self._site.pause(seconds)


def _is_drained(state: StageProgress | None) -> bool:
    return state is not None and state.queued == state.in_flight == 0


def _portions(load: Load) -> Iterator[tuple[str, str, list[tuple[bytes, str]]]]:
    """Yield key, kind and a few hundred entries with their scores, the sources in turn."""
    sources: list[tuple[str, str, list[tuple[bytes, str]]]] = [
        (queue, "list", [(entry, "") for entry in entries])
        for queue, entries in load.queues.items()
    ]
    sources.append((SCHEDULE, "zset", [(one, repr(due)) for one, due in load.scheduled]))
    for start in range(0, max(len(values) for _, _, values in sources), BATCH):
        for key, kind, values in sources:
            if portion := values[start : start + BATCH]:
                yield key, kind, portion


def _tracebacks(text: str) -> Iterator[str]:
    """Yield the last line of every traceback in a log."""
    for part in text.split("Traceback (most recent call last):")[1:]:
        with suppress(StopIteration):
            yield next(line for line in part.splitlines() if re.match(r"\S*[A-Za-z_.]+: ", line))
