"""Long looks in a process of their own."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from ctidialer.contract import keys
from ctidialer.settings import Redis, Settings
from ctidialer.web.aside import Aside, LookFailed
from tests.dialer.queue_case import QueueCase


class AsideTests(QueueCase):
    """Asked as the daemon asks."""

    def aside(self, url: str | None = None) -> Aside:
        settings = self.settings()
        if url is not None:
            settings = Settings(node=settings.node, redis=Redis(url=url))
        return Aside(reactor, settings)

    async def test_a_check_names_the_faults(self) -> None:
        await self.put(keys.at(keys.TASK, keys.TEMPLATE), {"bad": {"params": {"limit": "x"}}})
        found = json.loads(await self.aside().look("check", sample=10))
        self.assertEqual((found["tasks"], found["numbers"]), (1, 0))
        problems = [one for one in found["findings"] if one["path"] == "$.params.limit"]
        self.assertEqual([one["severity"] for one in problems], ["fault"])

    async def test_a_check_asks_freeswitch_for_the_gateways(self) -> None:
        await self.put_line("l", dialstring="sofia/gateway/carrier/${destination_number}")
        await self.put_group()
        await self.put_task()
        self.assertEqual(await self.of_gateways(), [])
        await self.sim(known_gateways=["other"])
        (fault,) = await self.of_gateways()
        self.assertEqual((fault["severity"], fault["name"]), ("fault", "l"))
        self.assertIn('has no gateway "carrier"', fault["problem"])
        await self.switch.kill()
        (notice,) = await self.of_gateways()
        self.assertEqual(notice["severity"], "notice")
        self.assertIn("FreeSWITCH was not asked whether it has the 1 gateway", notice["problem"])

    async def of_gateways(self) -> list[dict[str, str]]:
        found = json.loads(await self.aside().look("check"))
        return [one for one in found["findings"] if "FreeSWITCH" in one["problem"]]

    async def test_all_nodes_are_looked_at(self) -> None:
        await self.usual_tables()
        found = json.loads(await self.aside().look("nodes"))
        self.assertEqual([node["host"] for node in found["nodes"]], ["fs1"])
        self.assertEqual([task["name"] for task in found["nodes"][0]["tasks"]], ["t"])

    async def test_those_who_want_the_same_share_one_look(self) -> None:
        aside = self.aside()
        first, second = await gatherResults([aside.look("nodes"), aside.look("nodes")])
        self.assertIs(first, second)
        third = await aside.look("nodes")
        self.assertNotEqual(json.loads(third)["at"], json.loads(first)["at"])

    async def test_no_redis_is_said_in_a_sentence(self) -> None:
        nowhere = Path(self.mktemp()).absolute()
        with self.assertRaises(LookFailed) as caught:
            await self.aside(f"unix://{nowhere}").look("check")
        said = str(caught.exception)
        self.assertNotIn("Traceback", said)
        self.assertIn(str(nowhere), said)
