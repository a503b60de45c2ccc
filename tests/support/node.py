"""A whole node for end-to-end tests: real Redis, the simulated switch in its own process, and the
daemon, in this process (fast) or as the real `twistd ctidialer` in its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from twisted.internet import reactor

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome, Record
from ctidialer.dialer.service import DialerService
from ctidialer.nodes.record_scan import read_records
from ctidialer.settings import FreeSwitch, Node, Redis, Settings, completed
from ctidialer.stage.back_end import BackEnd
from ctidialer.stage.daemon import DaemonProcess, settings_text, start_daemon
from ctidialer.stage.stage import PASSWORD as PASSWORD
from ctidialer.stage.switch import SwitchProcess, start_switch
from ctidialer.stage.watching import Stalled, watch
from ctidialer.switchsim.calllog import CallLog, read_call_log
from tests.support.redis import RedisTestCase, new_directory

HOST = "fs1"
LOOK = 0.01
DEADLINE = 120.0
"""Seconds without a change after which a test that waits for something gives up."""

ANSWERED_AT_ONCE: dict[str, Any] = {"default": {"result": "answer", "talk": 0.02}}


class NodeTestCase(RedisTestCase):
    """Tests of a whole node; the switch is at ``self.switch``, scripted by ``self.script``."""

    timeout = 600
    script: Mapping[str, Any] = ANSWERED_AT_ONCE

    async def set_up(self) -> None:
        """Start the switch beside the Redis."""
        await super().set_up()
        self.directory = Path(new_directory(self))
        self.switch = await self.start_switch()

    async def start_switch(self, **options: object) -> SwitchProcess:
        """Start a simulated switch, which is killed when the test ends."""
        switch = await start_switch(
            reactor, self.directory, dict(self.script), password=PASSWORD, **options
        )
        self.addCleanup(switch.kill)
        return switch

    # --- what a back end does ----------------------------------------------------------------

    @property
    def back_end(self) -> BackEnd:
        """What a back end does with this test's Redis."""
        return BackEnd(self.redis.call, HOST)

    async def put(self, key: str, documents: Mapping[str, object]) -> None:
        """Write JSON documents into a hash; a text is written as it is."""
        await self.back_end.write_tables({key: documents})

    async def put_task(self, name: str = "t", key: str | None = None, **params: Any) -> None:
        """Write a task that dials the list ``q`` through the line group ``g``, as far as
        ``params`` do not say otherwise.  ``variables`` are the task's.
        """
        variables = params.pop("variables", {})
        usual: dict[str, object] = {
            "enable": True,
            "line_group": ["g"],
            "limit": 10,
            "number_queue": "q",
            "destination_extension": "8888",
        }
        document = {"params": {**usual, **params}, "variables": variables}
        await self.put(key or keys.at(keys.TASK, keys.TEMPLATE), {name: document})

    async def put_line(self, name: str = "l", **params: Any) -> None:
        """Write a line through the gateway of its own name, with room for 100 calls."""
        variables = params.pop("variables", {})
        usual: dict[str, object] = {
            "count": 100,
            "dialstring": f"sofia/gateway/{name}/${{destination_number}}",
        }
        document = {"params": {**usual, **params}, "variables": variables}
        await self.put(keys.at(keys.LINE, HOST), {name: document})

    async def put_group(self, name: str = "g", **group: Any) -> None:
        """Write a line group of the one line ``l``, as far as ``group`` does not say otherwise."""
        await self.put(keys.at(keys.LINE_GROUP, HOST), {name: {"line": [["l"]], **group}})

    async def put_numbers(self, numbers: Iterable[str | bytes], queue: str = "q") -> None:
        """Append numbers to a list."""
        await self.back_end.push(queue, numbers)

    async def usual_tables(self, **params: Any) -> None:
        """Write one task, one line group and one line."""
        await self.put_line()
        await self.put_group()
        await self.put_task(**params)

    async def published(self, table: str, name: str | None = None, suffix: str = "all") -> None:
        """Publish that a table has changed."""
        await self.back_end.publish(table, name, suffix)

    # --- the daemon --------------------------------------------------------------------------

    def freeswitch(self) -> FreeSwitch:
        """Return where the switch is."""
        return FreeSwitch(address=f"127.0.0.1:{self.switch.port}", password=PASSWORD)

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        """Return settings for this Redis and this switch; ``node`` changes its section."""
        node = {"host": host, "domain": HOST, "timezone": "Asia/Shanghai", **node}
        return completed(
            Settings(
                node=replace(Node(), **node),
                redis=Redis(url=self.url),
                freeswitch=self.freeswitch(),
            )
        )

    def start_dialer(self, settings: Settings | None = None) -> DialerService:
        """Start a daemon in this process; it is stopped, with its drain, when the test ends."""
        self.refusals: list[str] = []
        dialer = DialerService(settings or self.settings(), reactor, refuse=self.refusals.append)
        dialer.startService()
        self.addCleanup(dialer.stopService)
        return dialer

    def start_daemon(
        self,
        name: str = "daemon",
        host: str = HOST,
        extra: str = "",
        node: str = "",
        redis: str = "",
        **process: Any,
    ) -> DaemonProcess:
        """Start the real daemon in a process of its own; it is killed when the test ends.

        ``extra`` are further tables of its settings, ``node`` and ``redis`` further keys of these,
        ``process`` what :func:`~ctidialer.stage.daemon.start_daemon` takes besides.
        """
        node = f'domain = "{HOST}"\ntimezone = "Asia/Shanghai"\n{node}'
        freeswitch = self.freeswitch()
        text = settings_text(host, self.url, freeswitch, node=node, redis=redis, more=extra)
        daemon = start_daemon(reactor, self.directory, text, name, **process)
        self.addCleanup(daemon.kill)
        return daemon

    # --- what came of it ---------------------------------------------------------------------

    async def until(self, what: str, is_so: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so; fail, saying ``what``, when it is not in time."""
        try:
            await watch(reactor, is_so, bool, DEADLINE, LOOK)
        except Stalled:
            self.fail(f"not within {DEADLINE:.0f} s: {what}")

    async def until_count(
        self, what: str, wanted: int, counted: Callable[[], Awaitable[int]]
    ) -> None:
        """Wait until so many are there; fail when there are no more of them for too long."""
        try:
            await watch(reactor, counted, lambda count: count >= wanted, DEADLINE, LOOK)
        except Stalled as error:
            self.fail(f"{what}: {error}")

    async def records(self, host: str = HOST) -> tuple[Record, ...]:
        """Return the records so far, oldest first."""
        return await read_records(self.redis, keys.records(host))

    async def records_of(self, count: int, host: str = HOST) -> tuple[Record, ...]:
        """Wait for ``count`` records and return them; more than that is a failure."""

        async def written() -> int:
            return await self.back_end.length("XLEN", keys.records(host))

        await self.until_count(f"{count} records", count, written)
        records = await self.records(host)
        self.assertEqual(len(records), count)
        return records

    async def nothing_in_flight(self, host: str = HOST) -> None:
        """Wait until every entry that was taken is settled or given back."""

        async def is_empty() -> bool:
            return await self.call("HLEN", keys.in_flight(host)) == 0

        await self.until("nothing in flight", is_empty)

    async def queue(self, key: str = "q") -> list[bytes]:
        """Return the entries that are left in a list."""
        entries = await self.call("LRANGE", key, 0, -1)
        assert isinstance(entries, list)
        return [entry for entry in entries if isinstance(entry, bytes)]

    def switch_log(self) -> CallLog:
        """Return what the switch was asked for, so far."""
        return read_call_log(self.switch.log_path)

    def assert_accounted_for(
        self, records: Iterable[Record], *, after_a_kill: bool = False
    ) -> None:
        """Check that the records and the switch's own log name the same calls, each once.

        A daemon that is killed between its note and its command has called nobody: after that a
        call of unknown outcome need not be in the log.
        """
        given = list(records)
        recorded = Counter(attempt.uuid for record in given for attempt in record.attempts)
        dialed = Counter(line.uuid_asked for line in self.switch_log().originates)
        if after_a_kill:
            unknown = [one for one in given if one.outcome is Outcome.UNKNOWN]
            for attempt in (attempt for record in unknown for attempt in record.attempts):
                if attempt.uuid not in dialed:
                    del recorded[attempt.uuid]
        self.assertEqual(recorded, dialed)
        self.assertEqual([uuid for uuid, count in dialed.items() if count > 1], [])


def outcomes(records: Iterable[Record]) -> Counter[Outcome]:
    """Count the outcomes."""
    return Counter(record.outcome for record in records)


def starts_of(records: Iterable[Record]) -> list[float]:
    """Return when the daemon placed the calls, the first one first (unix seconds).

    The switch may read them late and together.
    """
    return sorted(attempt.dialed_at for record in records for attempt in record.attempts)
