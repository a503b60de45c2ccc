"""The agents of mod_callcenter, by a FreeSWITCH that says what a test wants, in virtual time."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.agents.callcenter import LIST_INTERVAL, MAX_SILENCE, CallcenterAgents
from ctidialer.esl.events import Event
from ctidialer.esl.switch import Credentials, Subscription, Switch
from ctidialer.rules.agents import AgentsNow
from tests.esl.network import Network
from tests.esl.scripted import Script, plain
from tests.support.logbook import logged_by

NOW = 1_795_377_600
QUEUE = "sales@default"
LIST = f"callcenter_config queue list agents {QUEUE}"
QUEUES = "callcenter_config queue list"
HEADER = (
    "name|instance_id|uuid|type|contact|status|state|wrap_up_time|last_bridge_start"
    "|last_bridge_end|last_offered_call|ready_time|external_calls_count"
)
SUBSCRIBED = ["filter Event-Subclass callcenter::info", "event plain CUSTOM callcenter::info"]


def row(
    name: str,
    status: str = "Available",
    state: str = "Waiting",
    *,
    wrap_up: int = 10,
    start: int = NOW - 100,
    end: int = NOW - 60,
    ready: int = 0,
) -> str:
    return (
        f"{name}|single_box||callback|user/{name}|{status}|{state}|{wrap_up}|{start}|{end}"
        f"|{NOW - 100}|{ready}|0"
    )


class CallcenterTestCase(SynchronousTestCase):
    ahead = 0.0
    """Seconds by which FreeSWITCH's clock is ahead of ours."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW - self.ahead)
        self.script = Script()
        self.script.api_answers = {LIST: "+OK\n", QUEUES: "+OK\n", "strepoch": f"{NOW}\n"}
        self.network = Network(self.script, self.clock)
        self.switch = Switch(
            self.clock,
            self.network,
            Credentials("ClueCon"),
            Subscription(("CHANNEL_ANSWER",), (("variable_cti_host", "fs1"),)),
            self,
            jitter=lambda: 1.0,
        )
        self.changes = 0
        self.agents = CallcenterAgents(self.clock, self.switch, self.change)
        self.switch.startService()
        self.network.flush()

    # --- what the service does -----------------------------------------------------------------

    def switch_up(self) -> None:
        if hasattr(self, "agents"):
            self.agents.switch_up()

    def switch_down(self, reason: str) -> None:
        self.agents.switch_down()

    def switch_event(self, event: Event) -> None:
        self.agents.event(event)

    def change(self) -> None:
        self.changes += 1

    # --- what a test does ----------------------------------------------------------------------

    def lists(self, *rows: str) -> None:
        """What FreeSWITCH answers from now on."""
        self.script.api_answers[LIST] = "".join(f"{one}\n" for one in (HEADER, *rows, "+OK"))

    def watched(self, *rows: str) -> None:
        """Watch the queue with these agents, until they are known."""
        self.lists(*rows)
        self.agents.watch([QUEUE])
        self.network.flush()

    def tell(self, action: str, name: str, **headers: str) -> None:
        """An event of mod_callcenter."""
        told = [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
        stamp = round((self.clock.seconds() + self.ahead) * 1e6)
        frame = plain(
            "CUSTOM",
            "Event-Subclass: callcenter%3A%3Ainfo",
            f"Event-Date-Timestamp: {stamp}",
            f"CC-Action: {action}",
            f"CC-Agent: {name.replace('@', '%40')}",
            *told,
        )
        self.script.subscribed().send(frame)
        self.network.flush()

    def tell_state(self, name: str, state: str) -> None:
        self.tell("agent-state-change", name, CC_Agent_State=state)

    def tell_status(self, name: str, status: str) -> None:
        self.tell("agent-status-change", name, CC_Agent_Status=status)

    @property
    def now(self) -> AgentsNow:
        return self.agents.now(QUEUE, self.clock.seconds())

    @property
    def why(self) -> str:
        problem = self.now.problem
        return "" if problem is None else problem.en

    def asked(self) -> list[str]:
        """The API commands of the present connection."""
        commands = self.script.commanded().commands
        return [one.removeprefix("api ") for one in commands if one.startswith("api ")]


class KnowingTests(CallcenterTestCase):
    def test_nothing_is_asked_while_nobody_wants_it(self) -> None:
        self.network.advance(4)
        self.assertEqual(self.asked(), [])
        self.assertIn("asked for", self.why)

    def test_the_list_says_who_is_there(self) -> None:
        self.watched(row("a@x"), row("b@x", "On Break"), row("c@x", end=NOW - 3))
        self.assertEqual((self.now.free, self.now.away, self.now.wrap_up), (1, 1, 1))
        self.assertEqual(self.now.busy, (100.0,))
        self.assertEqual(self.changes, 1)
        self.assertEqual(self.now.as_of, NOW)
        self.assertEqual(self.script.subscribed().commands[-2:], SUBSCRIBED)

    def test_a_wrap_up_that_ends_is_told_when_it_does(self) -> None:
        self.watched(row("a@x", end=NOW - 3))
        self.assertEqual((self.now.free, self.changes), (0, 1))
        self.clock.advance(7.9)
        self.network.flush()
        self.assertEqual(self.now.free, 0)
        self.clock.advance(0.1)
        self.assertEqual((self.now.free, self.changes), (1, 2))

    def test_a_call_by_its_events(self) -> None:
        self.watched(row("a@x"), row("b@x"))
        self.tell_state("a@x", "Receiving")
        self.assertEqual((self.now.free, self.now.ringing), (1, 1))
        self.tell_state("a@x", "In a queue call")
        self.clock.advance(0.5)
        self.assertEqual((self.now.free, self.now.busy), (1, (0.5,)))
        self.tell_state("a@x", "Waiting")
        self.assertEqual((self.now.wrap_up, self.now.busy), (1, (0.5,)))
        self.assertEqual(self.changes, 4)

    def test_who_logs_out_or_has_a_break_is_gone_at_once(self) -> None:
        self.watched(row("a@x"), row("b@x"), row("c@x"))
        self.tell_status("a@x", "Logged Out")
        self.tell_status("b@x", "On Break")
        self.assertEqual((self.now.free, self.now.away), (1, 1))
        self.tell_status("a@x", "Available")
        self.assertEqual(self.now.free, 2)

    def test_a_new_list_counts(self) -> None:
        self.watched(row("a@x"))
        self.lists(row("b@x"), row("c@x", "Logged Out"))
        self.network.advance(LIST_INTERVAL + 0.1)
        self.assertEqual(self.now.free, 1)
        self.tell_status("c@x", "Available")
        self.assertEqual(self.now.free, 2)

    def test_what_was_told_while_the_list_was_on_its_way_counts(self) -> None:
        self.watched(row("a@x"), row("b@x", "Logged Out"))
        self.script.commanded().hold()
        self.network.advance(LIST_INTERVAL + 0.1)
        self.tell_status("a@x", "Logged Out")
        self.tell_status("b@x", "Available")
        self.tell_state("b@x", "Receiving")
        self.script.commanded().release()
        self.network.flush()
        self.assertEqual((self.now.free, self.now.ringing), (0, 1))

    def test_a_list_on_its_way_does_not_bring_an_agent_of_another_time(self) -> None:
        self.watched(row("a@x"))
        self.lists(row("a@x"), row("b@x"))
        self.script.commanded().hold()
        self.network.advance(LIST_INTERVAL + 0.1)
        self.tell_status("b@x", "Logged Out")
        self.script.commanded().release()
        self.network.flush()
        self.assertEqual(self.now.free, 1)

    def test_after_an_offer_that_was_not_taken_the_list_is_asked_for(self) -> None:
        self.watched(row("a@x"))
        self.lists(row("a@x", ready=NOW + 30))
        asked = len(self.asked())
        self.tell("bridge-agent-fail", "a@x", CC_Hangup_Cause="NO_ANSWER")
        self.network.advance(0.1)
        self.assertEqual(len(self.asked()), asked + 1)
        self.assertEqual((self.now.free, self.now.away), (0, 1))

    def test_agents_of_other_queues_and_other_events(self) -> None:
        self.watched(row("a@x"))
        self.tell_status("z@x", "Available")
        self.tell("agent-offering", "a@x")
        self.tell("members-count", "")
        self.assertEqual((self.now.free, self.changes), (1, 1))

    def test_two_queues(self) -> None:
        other = {f"{QUEUES} agents other": f"{HEADER}\n{row('a@x')}\n+OK\n"}
        self.script.api_answers = other | self.script.api_answers
        self.watched(row("a@x"), row("b@x"))
        self.agents.watch([QUEUE, "other"])
        self.network.advance(0.1)
        self.assertEqual(self.agents.now("other", self.clock.seconds()).free, 1)
        self.tell_state("a@x", "Receiving")
        self.assertEqual(self.agents.now("other", self.clock.seconds()).free, 0)
        self.assertEqual(self.now.free, 1)
        self.agents.watch(["other"])
        self.assertIn("asked for", self.why)

    def test_nobody_wants_it_any_more(self) -> None:
        self.watched(row("a@x", end=NOW - 3))
        self.agents.watch([])
        self.network.flush()
        self.assertEqual(
            self.script.subscribed().commands[-2:],
            [
                "nixevent CUSTOM callcenter::info",
                "filter delete Event-Subclass callcenter::info",
            ],
        )
        asked = len(self.asked())
        self.network.advance(LIST_INTERVAL * 2)
        self.assertEqual((len(self.asked()), self.changes), (asked, 1))


class TroubleTests(CallcenterTestCase):
    def test_freeswitch_goes_and_comes_back(self) -> None:
        self.watched(row("a@x"), row("b@x"))
        self.network.reachable = False
        self.script.commanded().hang_up()
        self.network.flush()
        self.assertEqual((self.now.free, self.changes), (0, 2))
        self.assertIn("FreeSWITCH is away", self.why)
        self.lists(row("b@x"))
        self.network.reachable = True
        self.network.advance(5)
        self.assertEqual((self.now.free, self.why), (1, ""))
        self.assertEqual(
            [one for one in self.script.subscribed().commands if "CUSTOM" in one],
            ["event plain CUSTOM callcenter::info"],
        )

    def test_a_list_that_does_not_come(self) -> None:
        self.watched(row("a@x"))
        self.script.commanded().hold()
        self.network.advance(LIST_INTERVAL + 1)
        self.assertEqual(self.now.free, 1)
        self.network.advance(MAX_SILENCE)
        self.assertEqual(self.now.free, 0)
        self.assertIn("has not told the agents", self.why)

    def test_a_user_who_may_not_ask(self) -> None:
        self.script.refuse = lambda command: command.startswith("api ")
        log = logged_by(self)
        self.watched(row("a@x"))
        self.network.advance(LIST_INTERVAL * 3)
        self.assertIn("permission denied", self.why)
        self.assertEqual(sum("permission" in formatEvent(one) for one in log), 1)

    def test_no_mod_callcenter(self) -> None:
        self.script.api_answers[LIST] = "-ERR callcenter_config Command not found!\n"
        self.agents.watch([QUEUE])
        self.network.flush()
        self.assertIn("Command not found", self.why)

    def test_no_such_queue(self) -> None:
        self.agents.watch([QUEUE])
        self.network.flush()
        self.assertEqual(self.why, f"mod_callcenter has no queue {QUEUE}")

    def test_nobody_in_the_queue(self) -> None:
        self.script.api_answers[QUEUES] = f"name|strategy\n{QUEUE}|ring-all\n+OK\n"
        self.agents.watch([QUEUE])
        self.network.flush()
        self.assertIn("no agent has a tier", self.why)

    def test_a_name_that_would_be_two_words(self) -> None:
        self.agents.watch(["a b", "it's"])
        self.network.flush()
        for name in ("a b", "it's"):
            problem = self.agents.now(name, self.clock.seconds()).problem
            self.assertIn("has no queue", "" if problem is None else problem.en)
        self.assertEqual(self.asked(), ["strepoch"])


class AnotherClockTests(CallcenterTestCase):
    """FreeSWITCH's clock is five minutes ahead."""

    ahead = 300.0

    def test_wrap_up_and_ages(self) -> None:
        self.watched(row("a@x", end=NOW - 3), row("b@x", state="In a queue call"))
        self.assertEqual((self.now.wrap_up, self.now.talking), (1, 1))
        self.assertEqual(self.now.busy, (100.0, 100.0))
        self.network.advance(8.05)
        self.assertEqual(self.now.free, 1)
        self.tell_state("a@x", "In a queue call")
        self.clock.advance(3)
        (age, _) = self.now.busy
        self.assertTrue(3 <= age < 4, age)


class ClockBehindTests(AnotherClockTests):
    ahead = -300.0
