"""mod_callcenter of the simulator: against recordings of the real one, and at work."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.switchsim.callcenter.plan import PlanError, read_plan
from tests.switchsim.replay import Bench, Client, Frame, decoded, play, recorded

QUEUE = "sales@default"
EVENTS = "event plain CHANNEL_BRIDGE CHANNEL_HANGUP_COMPLETE CUSTOM callcenter::info"
QUEUES = {"queues": [QUEUE, "support@default"], "handle_time": 10_000, "ring": 10_000}
LONG = {"default": {"talk": 10_000, "patience": 10_000}}
NUMBERS = re.compile(r"\b1795\d{6}\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b")
ROUNDED = frozenset({"talk_time", "score"})
"""Columns that may be a second more or less."""


def api_answers(frames: Iterable[Frame]) -> list[str]:
    """Give what API commands answered, without UUIDs and times."""
    texts = (frame.body.decode() for frame in frames if frame.type == "api/response")
    return ["\n".join(steady_lines(text)) for text in texts]


def steady_lines(text: str) -> Iterable[str]:
    """Give the lines of a list without what depends on the moment."""
    names = text.partition("\n")[0].split("|")
    for line in text.split("\n"):
        values = NUMBERS.sub("N", line).split("|")
        if len(values) == len(names) > 1:
            values = [v for name, v in zip(names, values, strict=True) if name not in ROUNDED]
        yield "|".join(values)


def told(frames: Iterable[Frame], session: str) -> list[dict[str, str]]:
    """Give what was told of a member and of agents meanwhile, without UUIDs and times."""
    return [
        {
            name: NUMBERS.sub("N", value)
            for name, value in frame.headers
            if name.startswith(("CC-", "Event-Calling-Function", "Event-Calling-Line"))
        }
        for frame in frames
        if frame.is_event and frame.header("CC-Member-Session-UUID") == session
    ]


class AgainstRecordings(SynchronousTestCase):
    maxDiff = None

    def test_the_command_answers_word_for_word(self) -> None:
        simulated = api_answers(play("callcenter_config", LONG, callcenter=QUEUES))
        real = api_answers(recorded("callcenter_config"))
        self.assertEqual(len(simulated), len(real))
        for one, other in zip(simulated, real, strict=True):
            self.assertEqual(one, other)

    def test_lists_while_calls_come_and_go(self) -> None:
        simulated = api_answers(play("callcenter_members", LONG, callcenter=QUEUES))
        real = api_answers(recorded("callcenter_members"))
        lists = [at for at, text in enumerate(real) if "+OK" in text and "|" in text]
        self.assertGreater(len(lists), 20)
        for at in lists:
            self.assertEqual(simulated[at], real[at], at)

    def test_events_of_each_member(self) -> None:
        simulated = play("callcenter_members", LONG, callcenter=QUEUES)
        real = recorded("callcenter_members")
        for session in ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "n1", "n2"):
            self.assertEqual(told(simulated, session), told(real, session), session)

    def test_agents_change_in_the_recorded_order(self) -> None:
        simulated = play("callcenter_members", LONG, callcenter=QUEUES)
        self.assertEqual(changes(simulated), changes(recorded("callcenter_members")))

    def test_variables_at_the_end_of_a_member(self) -> None:
        simulated = play("callcenter_members", LONG, callcenter=QUEUES)
        for session in ("m1", "m2", "m3"):
            self.assertEqual(
                variables(simulated, session), variables(recorded("callcenter_members"), session)
            )


def changes(frames: Iterable[Frame]) -> list[tuple[str, str]]:
    """Give the states and statuses of agents, in order."""
    return [
        (frame.header("CC-Agent"), decoded(frame.header(header)))
        for frame in frames
        for header in ("CC-Agent-Status", "CC-Agent-State")
        if frame.is_event and frame.header("CC-Action").endswith("-change") and frame.header(header)
    ]


def variables(frames: Iterable[Frame], session: str) -> dict[str, str]:
    """Give the module's variables in a member's last event."""
    end = next(
        frame
        for frame in frames
        if frame.is_event
        and frame.header("Event-Name") == "CHANNEL_HANGUP_COMPLETE"
        and frame.header("Unique-ID") == session
    )
    return {k: NUMBERS.sub("N", v) for k, v in end.headers if k.startswith("variable_cc_")}


class AtWork(SynchronousTestCase):
    def set_up(self, callcenter: dict[str, Any], script: dict[str, Any] | None = None) -> Client:
        self.bench = Bench(script or LONG, {"queues": [QUEUE], **callcenter})
        return self.bench.client(EVENTS)

    def dial(self, client: Client, uuid: str, extension: str = "sales") -> None:
        client.send(f"bgapi originate {{origination_uuid={uuid}}}null/139{uuid} {extension}")

    def agents(self, client: Client) -> list[dict[str, str]]:
        header, *rows = client.ask(f"callcenter_config queue list agents {QUEUE}").split("\n")
        names = header.split("|")
        return [dict(zip(names, row.split("|"), strict=True)) for row in rows if "|" in row]

    def events_after(self, client: Client, seconds: float) -> list[Frame]:
        self.bench.advance(seconds)
        return client.events()

    def named(self, events: list[Frame], name: str) -> list[Frame]:
        return [event for event in events if name in event.header("Event-Name")]

    def bridges(self, events: list[Frame]) -> list[str]:
        return [one.header("Bridge-A-Unique-ID") for one in self.named(events, "CHANNEL_BRIDGE")]

    def test_a_standing_agent_takes_a_call_at_once_and_rests_after_it(self) -> None:
        client = self.set_up({"agents": 1, "handle_time": 3, "wrap_up": 2})
        self.dial(client, "a")
        self.assertEqual(self.bridges(self.events_after(client, 0.2)), ["a"])
        self.assertEqual(self.agents(client)[0]["state"], "In a queue call")
        (end,) = self.named(self.events_after(client, 3.2), "CHANNEL_HANGUP_COMPLETE")
        self.assertNotEqual(end.header("Caller-Channel-Bridged-Time"), "0")
        self.assertEqual(end.header("variable_cc_agent"), "agent1%40default")
        (agent,) = self.agents(client)
        self.assertEqual((agent["state"], agent["calls_answered"]), ("Waiting", "1"))
        self.dial(client, "b")
        self.assertEqual(self.bridges(self.events_after(client, 1.0)), [])
        self.assertEqual(self.bridges(self.events_after(client, 2.5)), ["b"])

    def test_members_wait_in_order_for_the_longest_idle(self) -> None:
        client = self.set_up({"agents": 2, "handle_time": 4})
        for uuid in "abcd":
            self.dial(client, uuid)
        events = self.events_after(client, 10.0)
        self.assertEqual(self.bridges(events), ["a", "b", "c", "d"])
        starts = [one for one in events if one.header("CC-Action") == "bridge-agent-start"]
        agents = [decoded(one.header("CC-Agent")) for one in starts]
        self.assertEqual(agents, ["agent1@default", "agent2@default"] * 2)

    def test_a_callee_loses_patience(self) -> None:
        client = self.set_up({"agents": 0}, {"default": {"patience": 2}})
        self.dial(client, "a")
        events = self.events_after(client, 2.5)
        (end,) = self.named(events, "CHANNEL_HANGUP_COMPLETE")
        self.assertEqual(end.header("variable_cc_cause"), "cancel")
        (left,) = [one for one in events if one.header("CC-Action") == "member-queue-end"]
        self.assertEqual(left.header("CC-Cancel-Reason"), "BREAK_OUT")

    def test_a_transfer_takes_a_member_out_of_the_queue(self) -> None:
        client = self.set_up({"agents": 0}, {"default": {"patience": 60, "after_transfer": 2}})
        self.dial(client, "a")
        self.bench.advance(1.0)
        self.assertEqual(client.ask("uuid_transfer a 9000 XML default"), "+OK\n")
        (end,) = self.named(self.events_after(client, 2.5), "CHANNEL_HANGUP_COMPLETE")
        self.assertEqual(end.header("Caller-Destination-Number"), "9000")
        self.assertEqual(end.header("variable_cc_cancel_reason"), "BREAK_OUT")

    def test_a_callback_agent_is_rung_first(self) -> None:
        agents = [{"name": "bob", "type": "callback"}]
        client = self.set_up({"agents": agents, "ring": 5})
        self.dial(client, "a")
        self.assertEqual(self.bridges(self.events_after(client, 4.0)), [])
        self.assertEqual(self.agents(client)[0]["state"], "Receiving")
        self.assertEqual(self.bridges(self.events_after(client, 1.5)), ["a"])
        leg = self.agents(client)[0]["uuid"]
        self.assertEqual(client.ask(f"uuid_exists {leg}"), "true")
        self.assertEqual(client.ask(f"uuid_kill {leg}"), "+OK\n")
        self.assertEqual(client.ask(f"uuid_exists {leg}"), "false")
        self.assertEqual(client.ask("uuid_exists a"), "false")

    def test_a_call_of_an_agent_that_nobody_ends(self) -> None:
        client = self.set_up({"agents": 1, "handle_time": 2})
        client.ask("sim agent_calls_stay on")
        self.dial(client, "a")
        self.bench.advance(10.0)
        (agent,) = self.agents(client)
        self.assertEqual(agent["state"], "In a queue call")
        client.ask(f"uuid_kill {agent['uuid']}")
        self.bench.advance(1.0)
        self.assertEqual(self.agents(client)[0]["state"], "Waiting")

    def test_an_agent_gets_stuck(self) -> None:
        client = self.set_up({"agents": 1})
        client.ask("sim agent_stuck agent1@default Reserved")
        self.dial(client, "a")
        self.assertEqual(self.bridges(self.events_after(client, 5.0)), [])
        client.ask("sim agent_stuck agent1@default off")
        self.assertEqual(self.bridges(self.events_after(client, 0.5)), ["a"])

    def test_a_member_that_never_leaves(self) -> None:
        client = self.set_up({"agents": 0}, {"default": {"patience": 1}})
        client.ask("sim members_stay 1")
        self.dial(client, "a")
        self.bench.advance(600.0)
        listed = client.ask(f"callcenter_config queue list members {QUEUE}")
        self.assertIn("|Waiting|", listed)

    def test_all_agents_log_out_at_one_moment(self) -> None:
        client = self.set_up({"agents": 3})
        client.ask("sim agents Logged Out")
        statuses = {agent["status"] for agent in self.agents(client)}
        self.assertEqual(statuses, {"Logged Out"})
        client.send("api sim agents Available")
        changed = [one for one in client.events() if "status-change" in one.header("CC-Action")]
        self.assertEqual(len(changed), 3)

    def test_agents_work_otherwise_from_now_on(self) -> None:
        client = self.set_up({"agents": 1, "handle_time": 100})
        client.ask('sim work {"handle_time": 1}')
        self.dial(client, "a")
        self.assertEqual(len(self.named(self.events_after(client, 2.0), "HANGUP_COMPLETE")), 1)

    def test_without_queues_an_extension_is_an_extension(self) -> None:
        bench = Bench({"default": {"talk": 1}})
        client = bench.client(EVENTS)
        client.send("bgapi originate null/139 &callcenter(sales)")
        bench.advance(2.0)
        (end,) = client.events()
        self.assertEqual(end.header("Event-Name"), "CHANNEL_HANGUP_COMPLETE")


class Plans(SynchronousTestCase):
    def test_a_wrong_one_is_refused_with_its_path(self) -> None:
        for document, place in (
            ({"agent": 3}, "agent"),
            ({"queues": []}, "$.queues"),
            ({"agents": [{"nam": "x"}]}, "$.agents"),
            ({"handle_time": "long"}, "$.handle_time"),
            ({"handle_time": {"mean": 0}}, "$.handle_time"),
            ({"no_answer": -1}, "$.no_answer"),
            ({"extensions": {"1": "nobody"}}, "$.extensions"),
        ):
            problem = self.assertRaises(PlanError, read_plan, document)
            self.assertIn(place, str(problem))
