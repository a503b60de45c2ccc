"""Reads what a campaign has left behind: how far it is, and the evidence for the audit."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from chaos.abandoned_audit import Ledger
from chaos.auditor import Written
from chaos.feeding import SCHEDULE
from chaos.load import AGENT_TASK, ALL_QUEUES, CDR_LIST, DOMAIN
from chaos.sharing import Shared
from chaos.site import Ground
from ctidialer.contract import keys
from ctidialer.contract.record_document import decode_record
from ctidialer.stage.back_end import BackEnd, StageProgress
from ctidialer.store.errors import StoreError
from ctidialer.switchsim.calllog import CallLog, read_call_log

GOOD_ENDS = frozenset({0, 143, -15, -9})
REFUSED = 1


class Gathering:
    """Reads all of it, of all hosts that there ever were."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def progress(self) -> StageProgress | None:
        """Return how far the campaign has got; None = Redis is away."""
        call = self._ground.link.call
        try:
            first, *others = [BackEnd(call, site.name) for site in self._ground.all_sites]
            found = await first.progress(ALL_QUEUES, SCHEDULE)
            return StageProgress(
                found.queued,
                found.in_flight + await self._sum(others, "HLEN", keys.in_flight),
                found.recorded + await self._sum(others, "XLEN", keys.records),
                await BackEnd(call, DOMAIN).waiting(),
            )
        except StoreError:
            return None

    async def _sum(self, hosts: list[BackEnd], command: str, key: Callable[[str], str]) -> int:
        return sum([await one.length(command, key(one.host)) for one in hosts])

    async def left(self) -> list[bytes]:
        """Return the entries that stand in a queue."""
        call = self._ground.call
        left = [entry for queue in ALL_QUEUES for entry in await call("LRANGE", queue, 0, -1)]
        return [*left, *await call("ZRANGE", SCHEDULE, 0, -1)]

    async def in_flight(self) -> int:
        """Return how many entries are in flight."""
        hosts = [site.name for site in self._ground.all_sites]
        return sum([await self._ground.call("HLEN", keys.in_flight(host)) for host in hosts])

    async def listed(self) -> list[str]:
        """Return the ids of the records in the list."""
        raw = await self._ground.call("LRANGE", CDR_LIST, 0, -1)
        return [decode_record(one).id for one in raw]

    async def records(self) -> list[Written]:
        """Return the records of all hosts, and when Redis wrote them."""
        written: list[Written] = []
        for site in self._ground.all_sites:
            written += await self._records_of(site.name)
        return written

    async def _records_of(self, host: str) -> list[Written]:
        written: list[Written] = []
        after = "-"
        while True:
            key = keys.records(host)
            reply = await self._ground.call("XRANGE", key, after, "+", "COUNT", 1000)
            if not reply:
                return written
            for stamp, fields in reply:
                milliseconds = int(stamp.partition(b"-")[0])
                written.append(Written(decode_record(fields[1]), (milliseconds + 1) / 1000))
            after = f"({reply[-1][0].decode()}"

    async def held(self, some: Sequence[Shared]) -> list[str]:
        """Return the places that hosts which are there have on what calls count on."""
        there = {site.name for site in self._ground.sites}
        held = []
        for shared in some:
            places = await self._ground.call("ZRANGEBYSCORE", shared.key, 0, "+inf")
            names = (place.decode().partition("\t") for place in places)
            held += [
                f"{call} of {host} on {shared.name}" for host, _, call in names if host in there
            ]
        return held

    async def ledgers(self) -> list[Ledger]:
        """Return what each host has counted of the callees who waited for agents."""
        found = await self._ground.call("HGETALL", keys.pacing(keys.TEMPLATE, AGENT_TASK))
        fields = dict(zip(found[::2], found[1::2], strict=True))
        ledgers = [json.loads(raw) for name, raw in fields.items() if name.startswith(b"ledger:")]
        return [Ledger(one["answers"], one["abandoned"]) for one in ledgers]

    def logs(self) -> dict[str, CallLog]:
        """Return what the switch of each host was asked for."""
        return {site.name: read_call_log(site.switch.log_path) for site in self._ground.all_sites}

    def statuses(self) -> Counter[int]:
        """Return how the daemons ended."""
        counts = (site.supervisor.statuses for site in self._ground.all_sites)
        return sum(counts, start=Counter())

    def odd_ends(self) -> Iterator[str]:
        """Yield what daemons should not have done: end oddly, write a traceback."""
        for site in self._ground.all_sites:
            odd = set(site.supervisor.statuses) - GOOD_ENDS - {REFUSED}
            yield from (f"a daemon of {site.name} ended with status {one}" for one in sorted(odd))
            text = site.supervisor.current.output.read_text("utf-8", "replace")
            yield from (f"in the log of {site.name}: {line}" for line in tracebacks(text))


def together(logs: dict[str, CallLog]) -> CallLog:
    """Return the logs of several switches as one."""
    return CallLog(
        originates=tuple(chain.from_iterable(log.originates for log in logs.values())),
        ends=tuple(chain.from_iterable(log.ends for log in logs.values())),
        answers=tuple(chain.from_iterable(log.answers for log in logs.values())),
    )


def tracebacks(text: str) -> Iterator[str]:
    """Yield the last line of every traceback in a log."""
    for part in text.split("Traceback (most recent call last):")[1:]:
        with suppress(StopIteration):
            yield next(line for line in part.splitlines() if re.match(r"\S*[A-Za-z_.]+: ", line))
