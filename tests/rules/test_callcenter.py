"""What mod_callcenter says, as the source of mod_callcenter writes it."""

from __future__ import annotations

import contextlib
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.agents import MAX_BUSY_AGE
from ctidialer.rules.callcenter import (
    MAX_OFFER,
    STATE_CHANGE,
    STATUS_CHANGE,
    CallcenterAgent,
    Doing,
    NoList,
    after_event,
    doing,
    has_queue,
    listed_after,
    next_free,
    of_agents,
    read_list,
)

NOW = 1_795_377_600
HEADER = (
    "name|instance_id|uuid|type|contact|status|state|max_no_answer|wrap_up_time|reject_delay_time"
    "|busy_delay_time|no_answer_delay_time|last_bridge_start|last_bridge_end|last_offered_call"
    "|last_status_change|no_answer_count|calls_answered|talk_time|ready_time|external_calls_count"
)
ROW = (
    "2001@default|single_box||callback|{{originate_timeout=9}}sofia/gateway/carrier1/2001"
    "|{status}|{state}|3|{wrap_up}|10|10|0|{start}|{end}|{offered}|1795377000|0|4|96|{ready}|0"
)
ONE = CallcenterAgent("a", "available", "waiting", NOW - 100, NOW - 60, 10, 0)


def row(**changed: object) -> str:
    usual = {"status": "Available", "state": "Waiting", "wrap_up": 10, "ready": 0}
    moments = {"start": NOW - 100, "end": NOW - 60, "offered": NOW - 105}
    return ROW.format(**{**usual, **moments, **changed})


def listing(*rows: str, header: str = HEADER) -> str:
    return "".join(f"{line}\n" for line in (header, *rows, "+OK"))


class ListTests(SynchronousTestCase):
    def test_an_agent(self) -> None:
        (found,) = read_list(listing(row()), NOW).values()
        self.assertEqual(attrs.evolve(found, name="a", in_state_since=0), ONE)

    def test_nobody(self) -> None:
        self.assertEqual(read_list("+OK\n", NOW), {})

    def test_bars_in_a_contact(self) -> None:
        text = listing(row().replace("sofia/gateway/carrier1/2001", "user/1|user/2|user/3"))
        (found,) = read_list(text, NOW).values()
        self.assertEqual((found.status, found.wrap_up_time), ("available", 10))

    def test_an_older_version(self) -> None:
        header = HEADER.replace("instance_id", "system").removesuffix("|external_calls_count")
        self.assertEqual(
            read_list(listing(row().removesuffix("|0"), header=header), NOW).keys(),
            {"2001@default"},
        )

    def test_an_answer_that_is_no_list(self) -> None:
        for text in (
            "",
            "-ERR callcenter_config Command not found!\n",
            "-ERR Invalid!\n",
            "queue|agent|state\n",
        ):
            self.assertRaises(NoList, read_list, text, NOW)

    def test_a_queue_among_others(self) -> None:
        text = "name|strategy\nsales@default|ring-all\n+OK\n"
        self.assertTrue(has_queue(text, "sales@default"))
        self.assertFalse(has_queue(text, "sales"))
        self.assertFalse(has_queue(text, "name"))

    def test_since_when_an_offer_lasts(self) -> None:
        (found,) = read_list(listing(row(state="Receiving", offered=NOW - 7)), NOW).values()
        self.assertEqual(found.in_state_since, NOW - 7)
        (found,) = read_list(listing(row(state="Reserved", offered=NOW - 7)), NOW).values()
        self.assertEqual(found.in_state_since, NOW)
        later = listed_after(attrs.evolve(found, in_state_since=NOW + 3), found)
        self.assertEqual(later.in_state_since, NOW)

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        with contextlib.suppress(NoList):
            read_list(text, NOW)

    @given(
        st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=30)),
        st.permutations(HEADER.split("|")),
    )
    def test_any_rows(self, rows: list[str], columns: list[str]) -> None:
        for found in read_list(listing(*rows, header="|".join(columns)), NOW).values():
            doing(found, NOW)

    @given(
        st.text(st.characters(exclude_characters="\n")),
        st.integers(0, 10**10),
    )
    def test_any_contact(self, contact: str, ready: int) -> None:
        text = listing(row(ready=ready).replace("sofia/gateway/carrier1/2001", contact))
        (found,) = read_list(text, NOW).values()
        self.assertEqual((found.ready_time, found.status), (ready, "available"))


class DoingTests(SynchronousTestCase):
    def what(self, **changed: Any) -> Doing:
        return doing(attrs.evolve(ONE, **changed), NOW)

    def test_waiting(self) -> None:
        self.assertIs(self.what(), Doing.FREE)
        self.assertIs(self.what(status="available (on demand)"), Doing.FREE)
        self.assertIs(self.what(status="on break"), Doing.AWAY)
        self.assertIs(self.what(status="logged out"), Doing.OUT)
        self.assertIs(self.what(state="idle"), Doing.AWAY)

    def test_wrap_up_is_over_when_mod_callcenter_says_so(self) -> None:
        # agents_callback: last_bridge_end < now - wrap_up_time, in whole seconds.
        for end, free in [(NOW - 11, True), (NOW - 10, False), (NOW, False), (0, True)]:
            expected = Doing.FREE if free else Doing.WRAP_UP
            self.assertIs(self.what(last_bridge_end=end), expected, end)
        self.assertIs(self.what(last_bridge_end=NOW, wrap_up_time=0), Doing.WRAP_UP)
        self.assertIs(self.what(last_bridge_end=NOW - 1, wrap_up_time=0), Doing.FREE)

    def test_after_an_offer_that_was_not_taken(self) -> None:
        self.assertIs(self.what(ready_time=NOW), Doing.FREE)
        self.assertIs(self.what(ready_time=NOW + 1), Doing.AWAY)

    def test_on_a_call(self) -> None:
        talking: dict[str, Any] = {"state": "in a queue call"}
        self.assertIs(self.what(**talking), Doing.TALKING)
        self.assertIs(self.what(**talking, status="on break"), Doing.AWAY)
        self.assertIs(self.what(**talking, status="logged out"), Doing.OUT)
        self.assertIs(
            self.what(**talking, last_bridge_start=int(NOW - MAX_BUSY_AGE - 1)), Doing.STALE
        )
        self.assertIs(self.what(external_calls=1), Doing.CALLING)

    def test_an_offer_that_never_ends(self) -> None:
        for state in ("receiving", "reserved"):
            self.assertIs(self.what(state=state, in_state_since=NOW - 5), Doing.RINGING)
            self.assertIs(self.what(state=state, in_state_since=NOW - MAX_OFFER - 1), Doing.STALE)

    def test_a_standby_agent_without_a_call(self) -> None:
        text = listing(row().replace("|callback|", "|uuid-standby|"))
        (found,) = read_list(text, NOW).values()
        self.assertIs(doing(found, NOW), Doing.AWAY)

    def test_counted(self) -> None:
        agents = [
            ONE,
            attrs.evolve(ONE, state="in a queue call", last_bridge_start=NOW - 50),
            attrs.evolve(ONE, last_bridge_end=NOW - 3),
            attrs.evolve(ONE, external_calls=1),
            attrs.evolve(ONE, status="logged out"),
            attrs.evolve(ONE, status="on break"),
            attrs.evolve(ONE, state="receiving", in_state_since=NOW - 2),
        ]
        found = of_agents(agents, NOW + 0.5)
        self.assertEqual((found.free, found.ringing, found.away, found.stale), (1, 1, 1, 0))
        self.assertEqual((found.talking, found.wrap_up), (2, 1))
        self.assertEqual((found.busy, found.busy_unknown), ((50.5, 100.5), 1))

    def test_the_next_who_becomes_free(self) -> None:
        self.assertIsNone(next_free([ONE], NOW))
        wrapping = attrs.evolve(ONE, last_bridge_end=NOW - 3)
        self.assertEqual(next_free([ONE, wrapping], NOW), NOW + 8)
        self.assertIs(doing(wrapping, NOW + 7.99), Doing.WRAP_UP)
        self.assertIs(doing(wrapping, NOW + 8), Doing.FREE)


class EventTests(SynchronousTestCase):
    def test_a_call_from_its_offer_to_the_end_of_the_wrap_up(self) -> None:
        agent = ONE
        seen = []
        for at, state in [(0, "Receiving"), (4, "In a queue call"), (90.7, "Waiting")]:
            agent = after_event(agent, STATE_CHANGE, state, NOW + at)
            seen.append(doing(agent, NOW + at))
        self.assertEqual(seen, [Doing.RINGING, Doing.TALKING, Doing.WRAP_UP])
        self.assertEqual((agent.last_bridge_start, agent.last_bridge_end), (NOW + 4, NOW + 90))
        self.assertEqual(agent.free_at, NOW + 101)

    def test_status(self) -> None:
        for status, expected in [
            ("Logged Out", Doing.OUT),
            ("On Break", Doing.AWAY),
            ("Available", Doing.FREE),
            ("Available (On Demand)", Doing.FREE),
        ]:
            self.assertIs(doing(after_event(ONE, STATUS_CHANGE, status, NOW), NOW), expected)

    def test_an_event_that_is_repeated_changes_no_times(self) -> None:
        talking = after_event(ONE, STATE_CHANGE, "In a queue call", NOW)
        self.assertIs(after_event(talking, STATE_CHANGE, "In a queue call", NOW + 9), talking)

    def test_other_events(self) -> None:
        self.assertIs(after_event(ONE, "bridge-agent-start", "", NOW), ONE)
