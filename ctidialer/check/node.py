"""Reads everything that ``ctidialer check`` looks at, and brings back what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial

from attrs import frozen

from ctidialer.check.agents import AgentTables, check_agents, groups_wanted
from ctidialer.check.dnc import MISSING, list_findings, lists_used
from ctidialer.check.findings import Finding, Severity
from ctidialer.check.gateways import Use, gateways_used
from ctidialer.check.ledgers import ledger_findings, tasks_counted_by_host_zones
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.numbers import (
    KeysIgnored,
    Refuse,
    check_numbers,
    ignored_in_entries,
    keys_ignored_in_number,
    keys_ignored_in_scheduled,
    refusal,
    scheduled_refusal,
    scores_in_milliseconds,
)
from ctidialer.check.queues import QueueUse, queues_used
from ctidialer.check.sentences import Sentence
from ctidialer.check.tables import check_tables
from ctidialer.contract import keys
from ctidialer.contract.schedule import MAX_TIME
from ctidialer.contract.status import decode_status
from ctidialer.contract.task import Side
from ctidialer.rules.tables import Documents, Tables
from ctidialer.settings import Settings
from ctidialer.store.agents import AgentReader
from ctidialer.store.errors import NotAllowed
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

ALIVE_WITHIN = 3600.0
"""Seconds: of hosts whose lease ended longer ago no status is looked for.  More than clocks of
machines differ."""


@frozen
class Checked:
    """What was found, and how much was looked at.

    ``gateways`` and ``queues`` (of mod_callcenter) are FreeSWITCH's to judge.
    """

    findings: tuple[Finding, ...]
    gateways: tuple[Use, ...]
    queues: tuple[QueueUse, ...]
    tasks: int
    lines: int
    line_groups: int
    schedule_configs: int
    numbers: int


class NodeCheck:
    """One look at the tables of a node and at the first ``sample`` numbers of each queue."""

    def __init__(self, link: Link, settings: Settings, sample: int, now: float) -> None:
        self._link = link
        self._settings = settings
        self._node = settings.node
        self._pattern = re.compile(settings.node.number_pattern)
        self._sample = sample
        self._now = now
        self._found: list[Finding] = []
        self._numbers = 0

    async def run(self) -> Checked:
        """Read and check everything, for seconds with ten thousand tasks; fails with StoreError."""
        tables = await self._read_tables()
        await self._check_own_keys()
        if not self._found or any(tables.documents.values()):
            self._found += check_tables(tables, self._now)
        self._found += await self._check_agents(tables)
        self._found += await self._check_lists(tables)
        self._found += await self._check_ledgers(tables)
        await self._check_queues(tables)
        await self._check_schedule(tables)
        return Checked(
            findings=tuple(self._found),
            gateways=gateways_used(tables),
            queues=queues_used(tables),
            tasks=len(tables.task_names()),
            lines=len(tables.raw(keys.LINE)),
            line_groups=len(tables.raw(keys.LINE_GROUP)),
            schedule_configs=len(tables.raw(keys.SCHEDULE_CONFIG)),
            numbers=self._numbers,
        )

    async def _read_tables(self) -> NodeTables:
        node = self._node
        names = Tables(node.host, node.domain, node.default_dialstring).keys_of()
        return NodeTables(node, {key: await self._table(key) for key in names})

    async def _check_agents(self, tables: NodeTables) -> Iterable[Finding]:
        """Check the agents; a user who may not read what no task asks for need not."""
        try:
            agents = await self._read_agents()
        except NotAllowed:
            if groups_wanted(tables):
                raise
            return ()
        return check_agents(agents, tables, self._now)

    async def _read_agents(self) -> AgentTables:
        domain = self._node.domain
        return AgentTables(
            domain,
            await self._table(keys.at(keys.AGENT, domain)),
            await self._table(keys.at(keys.AGENT_COUNT, domain)),
            await AgentReader(self._link, domain).heart(),
        )

    async def _check_lists(self, tables: NodeTables) -> Iterable[Finding]:
        of_settings = self._settings.compliance.dnc
        uses = lists_used(tables, of_settings)
        kinds = {key: await self._kind(key) for key in {use.list for use in uses}}
        return list_findings(tables, uses, kinds, of_settings)

    async def _check_ledgers(self, tables: NodeTables) -> Iterable[Finding]:
        """Check whether hosts count abandoned calls together; a user who may not look at other
        hosts need not."""
        if not tasks_counted_by_host_zones(tables):
            return ()
        try:
            zones = await self._zones_of_hosts()
        except NotAllowed:
            return ()
        return ledger_findings(tables, zones, self._now)

    async def _zones_of_hosts(self) -> dict[str, str]:
        """Return the time zone of each host with a daemon, as that publishes it."""
        if await self._kind(keys.HOSTS) != "zset":
            return {}
        since = repr(self._now - ALIVE_WITHIN)
        answer = await self._link.call("ZRANGEBYSCORE", keys.HOSTS, since, "+inf")
        assert isinstance(answer, list)
        zones: dict[str, str] = {}
        for host in (one.decode("utf-8", "replace") for one in answer if isinstance(one, bytes)):
            if await self._kind(keys.status(host)) != "string":
                continue
            raw = await self._link.call("GET", keys.status(host))
            with suppress(ValueError):  # of another version
                zones[host] = decode_status(raw if isinstance(raw, bytes) else b"").timezone
        return zones

    async def _table(self, key: str) -> Documents:
        if not await self._holds(key, "hash"):
            return {}
        return await NodeReading(self._link, self._node.host).read_table(key)

    async def _check_own_keys(self) -> None:
        """What ctidialer writes itself: where the key is taken, no record could be written."""
        host = self._node.host
        await self._holds(keys.records(host), "stream")
        await self._holds(keys.in_flight(host), "hash")
        await self._holds(keys.control(host), "hash")
        await self._holds(keys.lease(host), "hash")
        with suppress(NotAllowed):  # as long as nothing is counted over hosts, nobody needs it
            await self._holds(keys.HOSTS, "zset")
        if self._settings.records.list:
            await self._holds(self._settings.records.list, "list")

    async def _holds(self, key: str, wanted: str) -> bool:
        """Return whether a key is there and holds what it should; what else it holds is a fault."""
        found = await self._kind(key)
        if found not in (MISSING, wanted):
            problem = Sentence.WRONG_TYPE.of(found=found, wanted=wanted)
            self._found.append(Finding.of(Severity.FAULT, key, "", "$", problem))
        return found == wanted

    async def _kind(self, key: str) -> str:
        """Return what Redis says a key holds; `MISSING` = it is not there."""
        answer = await self._link.call("TYPE", key)
        return answer.decode() if isinstance(answer, bytes) else str(answer)

    async def _check_queues(self, tables: NodeTables) -> None:
        tasks = tables.tables.tasks.values()
        queues = {(key, task.queue_side) for task in tasks for key in task.queues if key}
        for key in sorted({key for key, _ in queues}):
            if await self._holds(key, "list"):
                await self._check_list(key, {side for queue, side in queues if queue == key})

    async def _check_list(self, key: str, sides: set[Side]) -> None:
        if Side.LEFT in sides:
            self._check(key, enumerate(await self._read("LRANGE", key, 0, self._sample - 1)))
        if Side.RIGHT in sides and self._sample:
            last = await self._read("LRANGE", key, -self._sample, -1)
            self._check(key, zip(range(-1, -len(last) - 1, -1), reversed(last), strict=True))

    def _check(self, key: str, entries: Iterator[tuple[int, bytes]]) -> None:
        refuse = partial(refusal, pattern=self._pattern)
        self._check_by(refuse, keys_ignored_in_number, key, entries)

    async def _check_schedule(self, tables: NodeTables) -> None:
        key = keys.at(keys.SCHEDULE_NUMBER, self._node.domain)
        if await self._holds(key, "zset"):
            members = await self._read("ZRANGE", key, 0, self._sample - 1)
            configs = tables.tables.schedules.keys()
            refuse = partial(scheduled_refusal, pattern=self._pattern, configs=configs)
            self._check_by(refuse, keys_ignored_in_scheduled, key, enumerate(members))
            await self._check_scores(key)

    async def _check_scores(self, key: str) -> None:
        """Say that numbers are not called for ages, as their scores are in milliseconds."""
        beyond = await self._link.call("ZCOUNT", key, f"({MAX_TIME:.0f}", "+inf")
        if not isinstance(beyond, int) or not beyond:
            return
        bounds = (f"({MAX_TIME:.0f}", "+inf", "WITHSCORES", "LIMIT", 0, 1)
        answer = await self._link.call("ZRANGEBYSCORE", key, *bounds)
        assert isinstance(answer, list)
        _, score = answer
        assert isinstance(score, bytes)
        self._found.append(scores_in_milliseconds(key, beyond, float(score)))

    def _check_by(
        self,
        refuse: Refuse,
        ignored: KeysIgnored,
        key: str,
        entries: Iterator[tuple[int, bytes]],
    ) -> None:
        sampled = list(entries)
        self._numbers += len(sampled)
        self._found += check_numbers(key, sampled, refuse)
        self._found += ignored_in_entries(key, sampled, ignored)

    async def _read(self, command: str, key: str, first: int, last: int) -> list[bytes]:
        if not self._sample:
            return []
        entries = await self._link.call(command, key, first, last)
        assert isinstance(entries, list)
        return [entry for entry in entries if isinstance(entry, bytes)]
