"""``ctidialer explain``, as it is used: beside a daemon that works, and without any."""

from __future__ import annotations

import json
import time
from typing import Any

from attrs import evolve
from msgspec.structs import replace

from ctidialer.contract import keys
from ctidialer.contract.control import Order
from ctidialer.contract.status import Explained, TaskStatus, encode_status
from ctidialer.dialer.readiness import Condition
from ctidialer.dialer.service import DialerService
from ctidialer.nodes.orders import NodeOrders
from ctidialer.settings import Config, Settings
from tests.cli.command_case import CommandTestCase
from tests.cli.node_command_case import NodeCommandCase
from tests.contract.test_status import STATUS
from tests.dialer.switch_case import LONG
from tests.support.node import HOST

NUMBERS = [f"100{index}" for index in range(8)]


class ExplainTests(NodeCommandCase):
    """The daemon's own answer."""

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        return replace(super().settings(host, **node), config=Config(poll_interval=0.05))

    async def begin(self, *missing: Condition, settings: Settings | None = None) -> DialerService:
        dialer = self.start_dialer(settings)

        async def has_begun() -> bool:
            return dialer.parts.readiness.missing == missing

        await self.until(f"the daemon lacks {missing}", has_begun)
        return dialer

    async def reason(self, expected: str, name: str = "t", status: int = 0) -> Any:
        """Run the command; check the reason, and return the rest of the answer."""
        done = await self.on_node("explain", name, "--json")
        self.assertEqual(done.status, status, done)
        answer = done.json()
        self.assertEqual((answer["task"], answer["host"]), (name, HOST))
        self.assertEqual(answer["reason"], expected, answer)
        self.assertTrue(answer["text"])
        return answer

    async def sentence(self, name: str = "t") -> list[str]:
        """Run the command for people, and return its lines."""
        done = await self.on_node("explain", name)
        self.assertEqual(done.err, "")
        return done.out.splitlines()

    async def test_what_the_tables_hardly_mean(self) -> None:
        await self.usual_tables(work_hours=[{"begin": "8:00", "end": "9:00"}])
        await self.put_group(lines=["l"])
        await self.put_line(dialstring="usr/1000")
        await self.put_line("other", dialstring="usr/1000")
        (said,) = [line for line in await self.sentence() if "work_hours" in line]
        self.assertEqual(
            said,
            "warning: cti_queue_dialer_task@template t $.params.work_hours: is ignored: there is no"
            " such key; did you mean `work_hour`?",
        )
        done = await self.on_node("explain", "t", "--json")
        found = [(one["key"], one["name"], one["path"]) for one in done.json()["warnings"]]
        self.assertEqual(
            found,
            [
                (keys.at(keys.TASK, keys.TEMPLATE), "t", "$.params.work_hours"),
                (keys.at(keys.LINE_GROUP, HOST), "g", "$.lines"),
                (keys.at(keys.LINE, HOST), "l", "$.params.dialstring"),
            ],
        )

    async def test_what_the_tables_say(self) -> None:
        await self.usual_tables()
        await self.put_task("off", enable=False)
        await self.put_task("bad", limit="many", work_week=["x"])
        await self.put_task("over", stop_time="2001-1-1 0:00")
        await self.put_task("early", start_time="2099-1-1 8:00", timezone="America/New_York")
        every_day = [{"begin": "2001-1-1 0:00", "end": "2098-12-31 0:00"}]
        await self.put_task("holiday", holiday=every_day)
        tomorrow = time.gmtime(time.time() + 36 * 3600).tm_wday  # whatever the zone: not today
        await self.put_task("weekday", work_week=[(tomorrow + 2) % 7])
        await self.put_task("zero", limit=0)
        await self.begin()
        await self.reason("disabled", "off")
        answer = await self.reason("invalid", "bad", status=1)
        paths = {fault["path"] for fault in answer["faults"]}
        self.assertEqual(paths, {"$.params.limit", "$.params.work_week[0]"})
        await self.reason("after_stop", "over")
        answer = await self.reason("before_start", "early")
        self.assertEqual(answer["changes_at_local"], "2099-01-01 08:00:00 (America/New_York)")
        answer = await self.reason("holiday", "holiday")
        self.assertEqual(answer["changes_at_local"], "2098-12-31 00:00:00 (Asia/Shanghai)")
        answer = await self.reason("not_a_working_day", "weekday")
        self.assertTrue(time.time() < answer["changes_at"] < time.time() + 7 * 86_400)
        await self.reason("limit_zero", "zero")
        answer = await self.reason("unknown_task", "none", status=1)
        done = await self.on_node("explain", "none")
        self.assertIn("there are: bad, early, holiday, off, over, t, weekday, zero", done.out)

    async def test_outside_hours(self) -> None:
        now = time.time()
        begin, end = (time.strftime("%H:%M", time.gmtime(now + 3600 * h)) for h in (2, 3))
        hours = [{"begin": begin, "end": end}]
        await self.usual_tables(work_hour=hours, timezone="UTC")
        await self.begin()
        answer = await self.reason("outside_hours")
        self.assertTrue(now + 3600 < answer["changes_at"] <= now + 7260)
        first, text, changes, queue = await self.sentence()
        self.assertEqual(first, "t on fs1: outside_hours")
        self.assertIn(f" {begin}:00 (UTC)", text)
        self.assertTrue(text.endswith(changes.removeprefix("changes at ")))
        self.assertEqual(queue, "numbers in q: 0; calls: 0/10")

    async def test_several_queues(self) -> None:
        await self.usual_tables(limit=0, number_queue=["q", "later"])
        await self.put_numbers(NUMBERS[:3])
        await self.put_numbers(NUMBERS[:2], "later")
        await self.begin()
        answer = await self.reason("limit_zero")
        self.assertEqual((answer["number_queue"], answer["queue_length"]), ("q", 5))
        each = [{"queue": "q", "length": 3}, {"queue": "later", "length": 2}]
        self.assertEqual(answer["queues"], each)
        *_, first, second = await self.sentence()
        self.assertEqual(first, "numbers in q: 3; calls: 0/0")
        self.assertEqual(second, "numbers in later: 2; calls: 0/0")

    async def test_queue_empty_limit_reached_paced_and_paused(self) -> None:
        await self.sim(default=LONG)
        await self.usual_tables(limit=2)
        await self.put_task("slow", cps=0.001, number_queue="slow")
        await self.begin()
        answer = await self.reason("queue_empty")
        self.assertEqual((answer["queue_length"], answer["calls"], answer["limit"]), (0, 0, 2))
        await self.put_numbers(NUMBERS)
        await self.put_numbers(NUMBERS[:2], "slow")
        await self.dialed(3)
        answer = await self.reason("limit_reached")
        self.assertEqual((answer["queue_length"], answer["calls"]), (6, 2))
        answer = await self.reason("paced", "slow")
        begun = next(
            call for call in await self.dialed(3) if call.variables["cti_task_name"] == "slow"
        )
        self.assertApproximates(answer["changes_at"], begun.time + 1000, 60)
        self.assertEqual((answer["node"]["ready"], answer["node"]["problems"]), (True, []))
        await NodeOrders(self.redis, HOST).pause("t", Order(1.0, "ann"))
        answer = await self.reason("paused")
        self.assertIn("paused by ann since 1970", answer["text"])
        await self.put_task(limit=50)
        await NodeOrders(self.redis, HOST).resume("t", Order())
        await self.dialed(9)
        await self.hang_up()

    async def test_no_free_line_and_node_limit(self) -> None:
        await self.sim(default=LONG)
        await self.usual_tables()
        await self.put_line("l", count=1)
        await self.put_line("m", count=1, rest=3_600_000)
        await self.put_group("g", line=[["l"], ["m", "none"]])
        await self.put_numbers(NUMBERS[:4])
        await self.begin(settings=self.settings(max_calls=2))
        await self.dialed(2)
        await self.reason("node_limit")
        on_m = next(c for c in self.switch_log().originates if "/m/" in c.dial_string)
        await self.order(f"uuid_kill {on_m.uuid_asked}")
        (record,) = await self.records_of(1)
        answer = await self.reason("no_free_line")
        lines = [(busy["name"], busy["group"], busy["why"]) for busy in answer["lines"]]
        expected = [("l", "g", "full"), ("m", "g", "resting"), ("none", "g", "unknown_line")]
        self.assertEqual(lines, expected)
        self.assertApproximates(answer["changes_at"], record.ended_at + 3600, 60)
        said = await self.sentence()
        self.assertIn("  l (g): all its calls are up", said)
        self.assertIn("  m (g): it rests, until ", "\n".join(said))
        on_l = next(c for c in self.switch_log().originates if "/l/" in c.dial_string)
        await self.put_line("l", count=0)
        await self.order(f"uuid_kill {on_l.uuid_asked}")

    async def test_freeswitch_away(self) -> None:
        await self.usual_tables()
        await self.begin()
        await self.switch.kill()
        answer = await self.reason("freeswitch_away")
        self.assertIn("FreeSWITCH is away: ", answer["text"])
        self.assertFalse(answer["node"]["ready"])
        await self.put_task("off", enable=False)
        await self.reason("disabled", "off")
        said = await self.sentence("off")
        self.assertTrue(said[-1].startswith("the node: F"), said)

    async def test_freeswitch_paused(self) -> None:
        await self.usual_tables()
        dialer = await self.begin()
        await self.order("fsctl pause")
        await self.put_numbers(NUMBERS)

        async def is_known() -> bool:
            # Until it has been asked, all that is known is that it refuses calls.
            limits = dialer.parts.limits
            return limits.is_paused and limits.backpressure.pause > 0

        await self.until("it is known that FreeSWITCH is paused", is_known)
        answer = await self.reason("freeswitch_paused")
        self.assertIn("FreeSWITCH is paused", answer["text"])
        await self.call("DEL", "q")
        await self.order("fsctl resume")

    async def test_drained_and_draining(self) -> None:
        await self.sim(default=LONG)
        await self.usual_tables(limit=1)
        await self.put_numbers(NUMBERS[:2])
        await self.begin()
        await self.dialed(1)
        await NodeOrders(self.redis, HOST).drain(Order(1.0, "ann"))
        answer = await self.reason("draining")
        self.assertIn("drained by ann", answer["text"])
        self.assertEqual(answer["node"]["drain"], {"since": 1.0, "by": "ann", "why": ""})
        await self.hang_up()
        await self.records_of(1)
        await self.reason("drained")

    async def test_a_queue_that_is_no_list(self) -> None:
        await self.usual_tables()
        await self.call("SET", "q", "x")
        await self.begin()
        answer = await self.reason("queue_unusable")
        self.assertIn("the key 'q' holds a string, but must hold a list", answer["text"])
        self.assertIsNone(answer["queue_length"])


class NoDaemonTests(CommandTestCase):
    """What is known without a daemon."""

    async def ask(self, name: str = "t") -> Any:
        done = await self.on_node("explain", name, "--json")
        return done.json()

    async def test_no_daemon(self) -> None:
        await self.put_task()
        await self.put_task("off", enable=False)
        answer = await self.ask()
        self.assertEqual(answer["reason"], "no_daemon")
        self.assertEqual(answer["text"], "no daemon is alive under the host name 'fs1'")
        self.assertEqual((answer["node"]["daemon"], answer["node"]["ready"]), (None, False))
        self.assertEqual((answer["number_queue"], answer["queue_length"]), ("q", 0))
        self.assertEqual((await self.ask("off"))["reason"], "disabled")
        self.assertEqual((await self.ask("none"))["reason"], "unknown_task")
        done = await self.on_node("explain", "off")
        self.assertIn("the node: no daemon is alive under the host name 'fs1'\n", done.out)

    async def test_paused_and_drained_without_a_daemon(self) -> None:
        await self.put_task()
        await self.put(keys.control(HOST), {"drain": "1"})
        answer = await self.ask()
        problems = [one["condition"] for one in answer["node"]["problems"]]
        self.assertEqual((answer["reason"], problems), ("no_daemon", ["no_daemon", "drained"]))
        await self.put(keys.control(HOST), {"pause:t": "1"})
        self.assertEqual((await self.ask())["reason"], "paused")

    async def test_a_daemon_that_says_nothing(self) -> None:
        await self.put_task()
        holder = json.dumps({"daemon": "d", "pid": 7, "hostname": "pbx1", "since": 1.0})
        await self.call("HSET", keys.lease(HOST), "token", "x", "holder", holder)
        await self.call("SET", keys.status(HOST), "rubbish")
        answer = await self.ask()
        self.assertEqual(answer["reason"], "no_daemon")
        self.assertIn(
            "it was killed or hangs, or cannot reach Redis (pid 7 on pbx1", answer["text"]
        )

    async def test_a_status_that_is_not_current(self) -> None:
        """A daemon that was killed a moment ago has left a status behind: it is no answer."""
        await self.put_task()
        holder = json.dumps({"daemon": "d", "pid": 7, "hostname": "pbx1", "since": 1.0})
        await self.call("HSET", keys.lease(HOST), "token", "x", "holder", holder)
        await self.call("PEXPIRE", keys.lease(HOST), "3600000")
        said = TaskStatus("t", 1, 5, "q", Explained("dialing", "calls are started; calls up: 1"))
        status = encode_status(evolve(STATUS, ready=True, missing=(), tasks=(said,)))
        await self.call("SET", keys.status(HOST), status, "PX", "600")
        answer = await self.ask()
        self.assertEqual((answer["reason"], answer["node"]["at"]), ("no_daemon", None))
        self.assertRegex(
            answer["text"],
            r"no word from the daemon for more than [23].5 s: it was killed or hangs, or cannot"
            r" reach Redis; its lease lapses in 3[0-9]{3} s \(pid 7 on pbx1",
        )

    async def test_a_table_that_is_none(self) -> None:
        await self.put_task()
        await self.call("SET", keys.at(keys.LINE, HOST), "x")
        self.assertEqual((await self.ask())["reason"], "no_daemon")

    async def test_wrong_usage_and_no_redis(self) -> None:
        self.assertEqual((await self.on_node("explain")).status, 2)
        done = await self.run_command("explain", "--redis", "redis://127.0.0.1:1/0", "t")
        self.assertEqual(done.status, 1)
        self.assertIn("no Redis at", done.err)

    async def test_a_table_of_another_type_does_not_count_as_empty(self) -> None:
        await self.call("SET", keys.at(keys.TASK, keys.TEMPLATE), "x")
        done = await self.on_node("explain", "t")
        self.assertEqual(done.status, 1)
        self.assertIn("the key 'cti_queue_dialer_task@template' holds", done.out)
        self.assertNotIn("there is no task", done.out)
