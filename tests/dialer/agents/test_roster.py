"""The roster within a whole daemon: who is told what, and that it costs nothing without tasks."""

from __future__ import annotations

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.dialer.agents.roster import Roster
from ctidialer.rules.agents import AgentsNow
from tests.dialer.switch_case import OURS, SwitchTestCase

NOW = 1_795_377_600.0


@frozen
class Named:
    queue: str | None = None
    group: str | None = None


SALES = Named(group="sales")


class DaemonTests(SwitchTestCase):
    async def roster(self) -> Roster:
        """The roster of a daemon that is ready."""
        await self.usual_tables()
        dialer = self.start_dialer()
        await dialer.parts.readiness.gate.passed()
        return dialer.parts.roster

    async def test_a_published_agent(self) -> None:
        await self.call("SET", keys.at(keys.AGENT_HEART, "fs1"), "1")
        roster, told = await self.roster(), []
        roster.changed = lambda: told.append(roster.now(SALES, NOW))
        roster.watch((), ["sales"])
        await self.put(keys.at(keys.AGENT, "fs1"), {"7": {"group": "sales", "state": "idle"}})
        await self.published("cti_agent", "7")

        async def free() -> bool:
            return bool(told) and told[-1].free == 1

        await self.until("an agent is free", free)
        self.assertEqual(roster.now(Named(), NOW), AgentsNow(as_of=NOW))

    async def test_without_tasks_that_name_agents_nothing_is_asked_for(self) -> None:
        await self.call("CONFIG", "RESETSTAT")
        await self.put_numbers(["1001"])
        await self.roster()
        await self.records_of(1)
        self.assertLessEqual(await self.commands_run(), OURS)
        stats = await self.call("INFO", "commandstats")
        assert isinstance(stats, bytes)
        self.assertIn(b"cmdstat_hgetall", stats)
        self.assertNotIn(b"cmdstat_pttl", stats)
