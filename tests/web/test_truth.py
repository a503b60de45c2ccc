"""Whatever state the node is in, everybody who is asked names it, and names the same.

Asked are ``/api/tasks`` and its ``explain`` (the dashboard's data), ``/api/status``, ``/readyz``,
from outside what ``ctidialer explain`` and ``ctidialer status`` are made from, and the log: what
it said last of the task and of the node.  What is so is known from what the test has done to the
node, and from the switch.
"""

from __future__ import annotations

import random
import re
from ast import literal_eval
from collections.abc import Callable, Iterable, Mapping
from time import time
from typing import Any

from attrs import evolve, field, frozen
from msgspec.structs import replace
from twisted.logger import LogEvent, formatEvent

from ctidialer.contract import keys
from ctidialer.contract.status import Explained
from ctidialer.nodes.overview import overview_of
from ctidialer.nodes.reader import NodeReader
from ctidialer.rules.node_facts import busy_in, explained_in
from ctidialer.rules.reasons import Reason
from ctidialer.rules.task_news import TaskState
from ctidialer.settings import Config, Settings
from tests.cli.command_case import command_process
from tests.dialer.switch_case import SwitchTestCase
from tests.support.logbook import logged_by
from tests.support.node import HOST
from tests.support.redis import link_to, own_redis
from tests.web.web_case import WebTestCase

TASK_KEY = keys.at(keys.TASK, keys.TEMPLATE)
LONG = {"result": "answer", "talk": 600}
ORDER = list(Reason)


@frozen
class State:
    """What the test has done to the node: parameters of its documents, and orders."""

    task: Mapping[str, Any] = field(factory=dict)
    torn: bool = False
    paused: bool = False
    drained: bool = False
    group: Any = None
    line: Any = None

    def in_the_log(self) -> LogState:
        """Return what the log must have said last."""
        hours = ("start_time", "stop_time", "holiday")
        if self.torn:
            task = TaskState.GONE
        elif not self.task.get("enable", True):
            task = TaskState.OFF
        else:
            is_closed = any(self.task.get(name) for name in hours)
            task = TaskState.CLOSED if is_closed else TaskState.OPEN
        return LogState(task, self.paused, self.drained)


@frozen
class LogState:
    """What the log says; ``task`` is OPEN with numbers or without."""

    task: TaskState
    paused: bool = False
    drained: bool = False


TASK_WORDS = {
    "is no more, or malformed": TaskState.GONE,
    "is switched off": TaskState.OFF,
    "is closed: ": TaskState.CLOSED,
    "is open": TaskState.OPEN,
    "has no number left": TaskState.OPEN,
    "has numbers in": TaskState.OPEN,
}
"""How the sentence of each state begins."""


def read_log(events: Iterable[LogEvent]) -> LogState:
    """Return what the log says, as one who reads it to its end."""
    found = LogState(TaskState.GONE)
    for line in map(formatEvent, events):
        what = line.removeprefix("Task t ")
        for words, state in TASK_WORDS.items():
            if what != line and what.startswith(words):
                found = evolve(found, task=state)
        if what.startswith(("is paused", "is resumed")):
            found = evolve(found, paused=what.startswith("is paused"))
        if line.startswith(("This node is drained", "This node is back")):
            found = evolve(found, drained=line.startswith("This node is drained"))
    return found


Change = tuple[Reason, Callable[[State], State]]


def of_task(reason: Reason, **params: Any) -> Change:
    """Return a change of the task's text, and what it leads to."""
    return reason, lambda state: evolve(state, task={**state.task, **params})


def of_line(group: Any = None, line: Any = None) -> Change:
    """Return a change that leaves no line."""
    return Reason.NO_FREE_LINE, lambda state: evolve(state, group=group, line=line)


CHANGES: tuple[Change, ...] = (
    (Reason.INVALID, lambda state: evolve(state, torn=True)),
    of_task(Reason.DISABLED, enable=False),
    of_task(Reason.AFTER_STOP, stop_time="2001-1-1 0:00"),
    of_task(Reason.BEFORE_START, start_time="2199-1-1 0:00"),
    of_task(Reason.HOLIDAY, holiday=[{"begin": "2001-1-1 0:00", "end": "2199-1-1 0:00"}]),
    (Reason.PAUSED, lambda state: evolve(state, paused=True)),
    of_task(Reason.LIMIT_ZERO, limit=0),
    (Reason.DRAINED, lambda state: evolve(state, drained=True)),
    of_line(group={"line": [["l"]], "enable": False}),
    of_line(group='{"line": [['),
    of_line(group={"line": []}),
    of_line(group={"line": [["nowhere"]]}),
    of_line(line='{"params": {"count": "many"}}'),
)
STEPS = 12


def without_countdown(missing: Any) -> Any:
    """Return what is missing without when the next try is made: it passes between two questions."""
    return literal_eval(re.sub(r"; next try in \d+\.\d s", "", repr(missing)))


class TruthCase(WebTestCase, SwitchTestCase):
    """``voices`` is what everybody says of the task ``t``; ``agreed`` that they say the same."""

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        return replace(super().settings(host, **node), config=Config(poll_interval=0.05))

    async def is_ready(self) -> bool:
        return (await self.ask("GET", "/readyz", token=None)).status == 200

    async def explained(self) -> Any:
        """Return what the daemon explains over HTTP."""
        return (await self.ask("GET", "/api/tasks/t/explain")).json

    async def until_reason(self, reason: Reason, *, form: str = "") -> None:
        """Wait until the daemon knows the state, and the state it published says so too."""

        async def is_so() -> bool:
            told = await self.explained()
            return (told["reason"], told["form"]) == (reason.value, form)

        await self.until(f"{reason.value} {form}", is_so)

    async def agreed(self, reason: Reason) -> Explained:
        """Check that everybody names ``reason``; return what was explained from outside."""
        nodes = NodeReader(self.redis, self.settings().node)
        told = await nodes.look_afresh(HOST, "t")
        outside = told.explain("t", time()).explained
        look = await overview_of(nodes, HOST, True, time())
        listed = {task.name: task.explained.reason for task in look.tasks}
        page = (await self.ask("GET", "/api/tasks")).json["tasks"]
        status = (await self.ask("GET", "/api/status")).json
        named = {task["name"]: task["explained"]["reason"] for task in status["tasks"]}
        voices = {
            "explain over HTTP": (await self.explained())["reason"],
            "tasks over HTTP": {task["name"]: task["explained"]["reason"] for task in page}["t"],
            "explain": outside.reason,
            "status": listed["t"],
            "the status": named.get("t") or next(iter(status["closed"]), None),
        }
        self.assertEqual(voices, dict.fromkeys(voices, reason.value))
        await self.agreed_on_readiness(look.told.is_ready, status)
        self.assert_said(outside)
        return outside

    async def agreed_on_readiness(self, is_ready: bool, status: Any) -> None:
        """Check that whether the node is ready, and why not, is told alike."""
        reply = await self.ask("GET", "/readyz", token=None)
        told = (reply.status == 200, reply.json["ready"], status["ready"], is_ready)
        self.assertEqual(told, (is_ready,) * 4)
        self.assertEqual(
            without_countdown(reply.json["missing"]), without_countdown(status["missing"])
        )
        self.assertEqual(bool(status["missing"]), not is_ready)

    def assert_said(self, explained: Explained) -> None:
        """Check that the sentence can be said as a whole in both languages."""
        for sentence in (explained.text, explained_in(explained, "zh")):
            self.assertNotIn("?", sentence)
            self.assertNotRegex(sentence, r"\{\w+\}")
        self.assertRegex(explained_in(explained, "zh"), "[一-鿿]")
        for busy in explained.lines:
            self.assertNotEqual(busy_in(busy, "zh"), busy.text)


class WalkTests(TruthCase):
    """States that stand in Redis, one upon the other in any order: the first that applies."""

    async def bring_about(self, state: State) -> None:
        """Write the documents of a state."""
        if state.torn:
            await self.put(TASK_KEY, {"t": "{"})
        else:
            await self.put_task(**state.task)
        await self.put(keys.at(keys.LINE_GROUP, HOST), {"g": state.group or {"line": [["l"]]}})
        if state.line:
            await self.put(keys.at(keys.LINE, HOST), {"l": state.line})
        else:
            await self.put_line()
        await self.call("DEL", keys.control(HOST))
        if state.paused:
            await self.put(keys.control(HOST), {"pause:t": '{"by": "ann", "why": "lunch"}'})
        if state.drained:
            await self.put(keys.control(HOST), {"drain": '{"since": 1700000000}'})

    async def walk(self, seed: int) -> None:
        chance = random.Random(seed)
        self.log = logged_by(self)
        await self.bring_about(State())
        self.start_web()
        await self.until("ready", self.is_ready)
        for _ in range(STEPS):
            changes = chance.sample(CHANGES, chance.choice((0, 1, 1, 1, 2, 3)))
            state, reasons = State(), [Reason.QUEUE_EMPTY]
            for reason, change in changes:
                state, reasons = change(state), [*reasons, reason]
            await self.bring_about(state)
            first = min(reasons, key=ORDER.index)
            await self.until_reason(first)
            await self.agreed(first)
            await self.until_logged(state.in_the_log())

    async def until_logged(self, wanted: LogState) -> None:
        """Wait until the log says what is so: it tells what has changed once a second.

        A task that was malformed, and is closed or switched off now, is no news.
        """
        closed = (TaskState.OFF, TaskState.CLOSED)
        gone = evolve(wanted, task=TaskState.GONE) if wanted.task in closed else wanted

        async def is_so() -> bool:
            return read_log(self.log) in (wanted, gone)

        await self.until(f"the log says {wanted}", is_so)

    async def test_any_states_upon_each_other(self) -> None:
        await self.walk(seed=1)

    async def test_other_states_upon_each_other(self) -> None:
        await self.walk(seed=2)


class CallTests(TruthCase):
    """States that calls bring about."""

    script: Mapping[str, Any] = {"default": LONG, "numbers": {"2001": {"result": "busy"}}}

    async def begin(self, **params: Any) -> None:
        await self.usual_tables(**params)
        await self.go()

    async def go(self) -> None:
        """Start with the tables as they are now: what comes later is in force a while later."""
        self.start_web(self.web_settings(self.settings(drain_timeout=0.2)))
        await self.until("ready", self.is_ready)

    async def test_all_calls_of_the_limit_are_up(self) -> None:
        await self.begin(limit=2)
        await self.put_numbers(["1001", "1002", "1003"])
        await self.until_reason(Reason.LIMIT_REACHED)
        found = await self.agreed(Reason.LIMIT_REACHED)
        self.assertEqual(found.text, "all calls that its limit allows are up: 2 of 2")
        self.assertEqual(len(self.switch_log().originates), 2)

    async def test_numbers_that_wait_for_a_redial(self) -> None:
        """No call is up, and none is said to be."""
        await self.usual_tables(limit=1)
        await self.put_group(redialer_count=3, rest=60_000)
        await self.go()
        await self.put_numbers(["2001", "1002"])
        found_after = time()
        await self.until_reason(Reason.LIMIT_REACHED, form="redials")
        found = await self.agreed(Reason.LIMIT_REACHED)
        self.assertRegex(
            found.text,
            r"^all 1 slots of its limit are taken: calls up: 0; waiting for a further call: 1,"
            r" next \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(Asia/Shanghai\)$",
        )
        assert found.changes_at is not None
        self.assertGreater(found.changes_at, found_after)
        status = (await self.ask("GET", "/api/status")).json
        self.assertEqual((status["calls"], status["numbers"]), (0, 1))

    async def test_a_full_line(self) -> None:
        await self.usual_tables()
        await self.put_line(count=1)
        await self.go()
        await self.put_numbers(["1001", "1002"])
        await self.until_reason(Reason.NO_FREE_LINE)
        found = await self.agreed(Reason.NO_FREE_LINE)
        self.assertEqual(found.text, "no line is free (l: all its calls are up)")
        lines = (await self.ask("GET", "/api/lines?state=full")).json["lines"]
        self.assertEqual([(line["name"], line["calls"]) for line in lines], [("l", 1)])

    async def test_a_drain_with_a_call_up(self) -> None:
        await self.begin()
        await self.put_numbers(["1001"])

        async def is_up() -> bool:
            return bool((await self.ask("GET", "/api/status")).json["calls"] == 1)

        await self.until("the call is up", is_up)
        await self.put(keys.control(HOST), {"drain": "1"})
        await self.until_reason(Reason.DRAINING)
        found = await self.agreed(Reason.DRAINING)
        self.assertTrue(found.text.endswith("calls still up: 1"), found.text)

    async def test_freeswitch_is_killed(self) -> None:
        await self.begin()
        await self.switch.kill()
        await self.until_reason(Reason.FREESWITCH_AWAY)
        found = await self.agreed(Reason.FREESWITCH_AWAY)
        self.assertIn("FreeSWITCH is away: ", found.text)

    async def test_a_queue_that_is_no_list(self) -> None:
        await self.begin()
        await self.call("SET", "q", "x")
        await self.until_reason(Reason.QUEUE_UNUSABLE)
        found = await self.agreed(Reason.QUEUE_UNUSABLE)
        self.assertIn("'q'", found.text)

    async def test_a_table_that_cannot_be_read(self) -> None:
        await self.begin()
        await self.call("DEL", keys.at(keys.LINE, HOST))
        await self.call("SET", keys.at(keys.LINE, HOST), "x")
        await self.until_reason(Reason.TABLES_UNREADABLE)
        found = await self.agreed(Reason.TABLES_UNREADABLE)
        self.assertIn(keys.at(keys.LINE, HOST), found.text)

    async def test_redis_has_no_memory_left(self) -> None:
        await self.begin()
        self.addCleanup(self.call, "CONFIG", "SET", "maxmemory", "0")
        await self.call("CONFIG", "SET", "maxmemory", "1")
        await self.until_reason(Reason.WRITES_REFUSED)
        found = await self.agreed(Reason.WRITES_REFUSED)
        self.assertIn("OOM", found.text)

    async def test_a_line_whose_calls_never_leave(self) -> None:
        await self.sim(known_gateways={"gw": "up"})
        await self.begin()
        await self.put_numbers(["1001"])
        await self.until_reason(Reason.NO_FREE_LINE)
        found = await self.agreed(Reason.NO_FREE_LINE)
        self.assertEqual([busy.why for busy in found.lines], ["never_left"])
        self.assertIn("INVALID_GATEWAY", found.text)
        self.assertIn("INVALID_GATEWAY", explained_in(found, "zh"))
        lines = (await self.ask("GET", "/api/lines?state=never_left")).json["lines"]
        self.assertEqual([line["name"] for line in lines], ["l"])

    async def test_an_empty_queue_after_failures(self) -> None:
        await self.begin()
        await self.put_numbers(["no number"] * 12)
        await self.until_reason(Reason.QUEUE_EMPTY, form="failures")
        found = await self.agreed(Reason.QUEUE_EMPTY)
        self.assertIn("of the last 12 numbers 12 failed or were invalid", found.text)

    async def test_a_task_that_is_braked(self) -> None:
        await self.begin()
        await self.put_numbers(["no number"] * 120)
        await self.until_reason(Reason.BRAKED)
        found = await self.agreed(Reason.BRAKED)
        self.assertIn("its last 50 numbers all ended as invalid", found.text)
        self.assertIn("no number", found.text)

    async def test_a_daemon_that_was_killed(self) -> None:
        """Its last word is no answer once it is a few seconds old; its lease still lives."""
        await self.usual_tables()
        daemon = self.start_daemon()
        nodes = NodeReader(self.redis, self.settings().node)

        async def is_ready() -> bool:
            told = await nodes.look_at(HOST)
            return bool(told.status and told.status.ready)

        await self.until("the daemon is ready", is_ready)
        await daemon.kill()
        told = await nodes.look_afresh(HOST, "t")
        explained = told.explain("t", time()).explained
        self.assertEqual(explained.reason, "no_daemon")
        self.assertRegex(
            explained.text, r"^no word from the daemon for more than [23]\.5 s: .* in \d+ s \("
        )
        look = await overview_of(nodes, HOST, True, time())
        self.assertEqual((look.told.is_ready, look.as_json()["status"]), (False, None))
        self.assertEqual(look.tasks[0].explained.reason, "no_daemon")
        self.assert_said(explained)


class RedisAwayTests(TruthCase):
    """Redis is gone: the daemon says so, and from outside nobody claims to know more."""

    async def set_up(self) -> None:
        await super().set_up()
        self.process = await own_redis(self)
        self.url = self.process.url
        self.redis = link_to(self, self.url)
        await self.redis.when_up(60)
        await self.usual_tables()

    async def test_redis_is_killed(self) -> None:
        log = logged_by(self)
        self.start_web()
        await self.until("ready", self.is_ready)
        await self.process.kill()
        await self.until_reason(Reason.REDIS_AWAY)
        told = await self.explained()
        status = (await self.ask("GET", "/api/status")).json
        (task,) = (await self.ask("GET", "/api/tasks")).json["tasks"]
        self.assertEqual((task["explained"]["reason"], status["ready"]), (told["reason"], False))
        self.assertEqual(status["missing"][0]["condition"], "redis_away")
        reply = await self.ask("GET", "/readyz", token=None)
        self.assertEqual(reply.status, 503)
        said = [line for line in map(formatEvent, log) if line.startswith("Redis is ")]
        self.assertRegex(said[0], "^Redis is there: ")
        self.assertRegex(said[-1], "^Redis is away: ")

    async def test_nobody_outside_claims_to_know_more(self) -> None:
        await self.process.kill()
        where = ("--redis", self.url, "--host", HOST)
        for words in (("explain", "t"), ("status",), ("records",), ("check", "--no-freeswitch")):
            command = (words[0], *where, *words[1:])
            done = await command_process(self, self.directory, command).done
            self.assertEqual((done.status, done.out), (1, ""), words)
            self.assertRegex(done.err, r"^Error: .*[Rr]edis", words)
            self.assertEqual(done.err.count("\n"), 1, done.err)
