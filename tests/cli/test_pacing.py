"""``ctidialer pacing``, by what a daemon has written."""

from __future__ import annotations

import msgspec

from ctidialer.contract import keys
from ctidialer.contract.pacing import PacingStatus
from ctidialer.rules.prediction.keeping import encode
from ctidialer.rules.prediction.pacer import Learnt
from tests.cli.command_case import CommandTestCase

STATUS = PacingStatus(
    mode="predictive",
    at=1_700_000_000.0,
    queue="sales@default",
    free=2,
    busy=9,
    talking=8,
    wrap_up=1,
    ringing=7,
    waiting=1,
    connected=8,
    period_start=1_699_000_000.0,
    answered=1000,
    abandoned=24,
    ceiling=0.03,
    can_bear=6,
    risk=0.004,
    use=0.81,
)


class PacingCommandTests(CommandTestCase):
    async def put_pacing(self, scope: str, **fields: bytes) -> None:
        flat = [part for pair in fields.items() for part in pair]
        await self.call("HSET", keys.pacing(scope, "t"), *flat)

    async def test_agents_calls_abandoned_and_what_was_learnt(self) -> None:
        status = {"status:fs1": msgspec.json.encode(STATUS), "learnt": encode(Learnt())}
        await self.put_pacing("template", **status)
        done = await self.on_node("pacing", "t")
        self.assertEqual((done.status, done.err), (0, ""))
        for part in (
            "t on fs1: predictive",
            "free 2, being rung 0, talking 8, in wrap-up 1",
            "busy 81.0 %",
            "on their way 7, waiting for an agent 1, connected 8",
            "24 of 1000 answered by people (2.4 %, ceiling 3 %); 6 more",
            "risk: 0.40 %",
            "agents are busy with a call for 90 s",
            "50.0 % of the calls are answered",
        ):
            self.assertIn(part, done.out)

    async def test_json(self) -> None:
        await self.put_pacing("fs1", **{"status:fs1": msgspec.json.encode(STATUS)})
        answer = (await self.on_node("pacing", "t", "--json")).json()
        self.assertEqual(answer["pacing"]["abandoned"], 24)
        self.assertEqual(set(answer["hosts"]), {"fs1"})
        self.assertIsNone(answer["learnt"])

    async def test_in_chinese(self) -> None:
        gone = PacingStatus(
            "progressive", 0.0, group="g", problem="no heart", problem_zh="没有心跳"
        )
        await self.put_pacing("fs1", **{"status:fs1": msgspec.json.encode(gone)})
        done = await self.run_command(
            "--lang", "zh", "pacing", "--redis", self.url, "--host", "fs1", "t"
        )
        self.assertIn("没有坐席：没有心跳", done.out)

    async def test_a_task_that_was_never_paced(self) -> None:
        done = await self.on_node("pacing", "nobody")
        self.assertEqual(done.status, 1)
        self.assertIn("names none, or was never dialed", done.out)

    async def test_what_somebody_else_wrote_there_is_passed_over(self) -> None:
        await self.put_pacing("fs1", **{"status:fs1": b"\xff", "learnt": b"[]", "x": b"y"})
        done = await self.on_node("pacing", "t")
        self.assertEqual((done.status, done.err), (0, ""))
        await self.call("SET", keys.pacing("fs1", "other"), "mine")
        self.assertEqual((await self.on_node("pacing", "other")).status, 1)
