"""Which line takes a call, and its account: tiers, count, rest, faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.line import LineGroup
from ctidialer.contract.record import Outcome
from ctidialer.dialer.service import DialerService
from ctidialer.switchsim.calllog import CallLog
from tests.dialer.line_case import ANSWERS, BUSY, UNAVAILABLE, LineTestCase, gateway, logged, ways
from tests.dialer.switch_case import LONG
from tests.support.node import outcomes, starts_of

TALKING: Mapping[str, Any] = {"default": {"result": "answer", "talk": 0.3}}
RINGS_LONG = {"result": "sip", "status": 480, "ring": 0.5}


def numbers(count: int) -> list[str]:
    """Return that many numbers."""
    return [str(1000 + index) for index in range(count)]


class ChoiceTests(LineTestCase):
    """Tiers, and within a tier the line that has been idle longest."""

    script = TALKING

    def lines_dialed(self) -> list[str]:
        """Return the lines in the order of the calls."""
        return [gateway(call) for call in self.switch_log().originates]

    async def test_the_first_tier_comes_first(self) -> None:
        await self.put_lines("a", "b", "spare", count=2)
        await self.put_group(line=[["a", "b"], ["spare"]])
        await self.dial(*numbers(6), limit=6)
        self.assertEqual(sorted(self.lines_dialed()[:4]), ["a", "a", "b", "b"])
        self.assertEqual(self.lines_dialed()[4:], ["spare", "spare"])

    async def test_the_second_tier_is_left_again(self) -> None:
        await self.put_lines("a", "spare", count=1)
        await self.put_group(line=[["a"], ["spare"]])
        await self.dial(*numbers(2), limit=2)
        await self.put_numbers(["2001"])
        await self.records_of(3)
        self.assertEqual(self.lines_dialed(), ["a", "spare", "a"])

    async def test_the_line_idle_longest_is_taken(self) -> None:
        await self.sim(default=ANSWERS)
        await self.put_lines("c", "a", "b", count=1)
        await self.put_group(line=[["c", "a", "b"]])
        await self.dial(*numbers(12), limit=1)
        self.assertEqual(self.lines_dialed(), ["c", "a", "b"] * 4)

    async def test_what_ended_first_is_idle_longest(self) -> None:
        await self.sim(default=LONG)
        await self.put_lines("a", "b", "c", count=1)
        await self.put_group(line=[["a", "b", "c"]])
        await self.put_task(limit=3)
        await self.put_numbers(["1000", "1001", "1002"])
        self.start_dialer()
        on_a, on_b, on_c = await self.dialed(3)
        for ended, call in enumerate((on_b, on_c, on_a), start=1):
            await self.order(f"uuid_kill {call.uuid_asked}")
            await self.records_of(ended)
        await self.put_numbers(["2000", "2001", "2002"])
        await self.dialed(6)
        await self.hang_up()
        await self.records_of(6)
        self.assertEqual(self.lines_dialed(), ["a", "b", "c", "b", "c", "a"])

    async def test_calls_are_spread_over_a_tier(self) -> None:
        await self.put_lines("a", "b", "c", count=10)
        await self.put_group(line=[["a", "b", "c"]])
        await self.dial(*numbers(18), limit=18)
        self.assertEqual(Counter(self.lines_dialed()), {"a": 6, "b": 6, "c": 6})

    async def test_a_line_in_two_groups_has_one_account(self) -> None:
        await self.put_line("a", count=3)
        await self.put_groups({"g1": [["a"]], "g2": [["a"], ["a"]]})
        for index in (1, 2):
            await self.put_task(f"t{index}", line_group=[f"g{index}"], number_queue=f"q{index}")
            await self.put_numbers(numbers(6), queue=f"q{index}")
        self.start_dialer()
        records = await self.records_of(12)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 12})
        self.assertEqual(self.most_on("a"), 3)


class CountAndRestTests(LineTestCase):
    """How many calls a line has at once, and how it rests."""

    script = TALKING

    async def test_never_more_calls_than_count(self) -> None:
        await self.put_line(count=4)
        await self.put_group()
        records = await self.dial(*numbers(20), limit=20)
        self.assertEqual(self.most_on("l"), 4)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 20})
        self.assertEqual(list(self.switch_log().numbers), numbers(20))
        self.assert_accounted_for(records)

    async def test_count_is_one_where_nothing_is_said(self) -> None:
        await self.put_line(count=None)
        await self.put_group()
        await self.dial(*numbers(3))
        self.assertEqual(self.most_on("l"), 1)

    async def test_numbers_wait_in_the_queue(self) -> None:
        await self.sim(default=LONG)
        await self.put_line(count=2)
        await self.put_group()
        await self.put_task(limit=50)
        await self.put_numbers(numbers(10))
        self.start_dialer()
        await self.dialed(2)
        self.assertEqual(await self.queue(), [number.encode() for number in numbers(10)[2:]])
        await self.call("DEL", "q")
        await self.hang_up()

    async def test_a_line_of_one_call_rests_after_the_hang_up(self) -> None:
        await self.sim(default={"result": "answer", "talk": 0.2})
        await self.put_line(count=1, rest=300)
        await self.put_group()
        await self.dial(*numbers(4))
        log = self.switch_log()
        for end, start in zip(log.ends, log.originates[1:], strict=False):
            self.assertGreaterEqual(start.time - end.time, 0.29)

    async def test_a_line_starts_no_more_calls_a_second_than_its_cps(self) -> None:
        await self.put_line(count=30, cps=8)
        await self.put_group()
        starts = starts_of(await self.dial(*numbers(24), limit=30))
        # A busy machine may be slow to give the first number: the next one has its time then.
        self.assertGreaterEqual(starts[-1] - starts[0], 23 / 8 - 0.4)
        for start in starts:
            self.assertLessEqual(sum(start <= one < start + 1 for one in starts), 9)

    async def test_of_two_lines_each_has_its_own_cps(self) -> None:
        await self.put_line("slow", count=30, cps=2)
        await self.put_line("quick", count=30, cps=20)
        await self.put_group(line=[["slow", "quick"]])
        await self.dial(*numbers(30), limit=30)
        made = Counter(gateway(call) for call in self.switch_log().originates)
        self.assertGreater(made["quick"], 3 * made["slow"])

    async def test_more_calls_rest_between_two_starts(self) -> None:
        await self.sim(default={"result": "answer", "talk": 1.0})
        await self.put_line(count=5, rest=150)
        await self.put_group()
        starts = starts_of(await self.dial(*numbers(5)))
        for earlier, later in pairwise(starts):
            self.assertGreaterEqual(later - earlier, 0.14)
        self.assertGreater(self.most_on("l"), 1)

    async def test_a_resting_line_leaves_the_call_to_the_next(self) -> None:
        await self.sim(default=ANSWERS)
        await self.put_lines("a", "b", count=1, rest=60_000)
        await self.put_group(line=[["a"], ["b"]])
        await self.dial(*numbers(2))
        self.assertEqual([gateway(call) for call in self.switch_log().originates], ["a", "b"])


class FaultTests(LineTestCase):
    """A line goes out of use after faults in a row, and comes back after a trial call."""

    script: Mapping[str, Any] = {"default": ANSWERS, "gateways": {"bad": UNAVAILABLE}}

    async def set_up(self) -> None:
        await super().set_up()
        self.events = logged(self, "Line ")

    async def test_out_of_use_after_so_many_faults(self) -> None:
        await self.put_line("bad", fault_threshold=3, fault_try_interval=60_000)
        await self.put_line("good")
        await self.put_group("first", line=[["bad"]])
        await self.put_group("second", line=[["good"]])
        records = await self.dial(*numbers(10), line_group=["first", "second"], limit=1)
        bad = [record.number for record in records if ("bad", "first") in ways(record)]
        self.assertEqual(bad, numbers(3))
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 10})
        self.assertEqual(self.events, ["Line bad is out of use after 3 faults in a row"])

    async def test_an_answered_call_ends_the_row(self) -> None:
        series = [UNAVAILABLE, UNAVAILABLE, ANSWERS]
        await self.sim(number={"1000": series * 5})
        await self.put_line(fault_threshold=3, fault_try_interval=60_000)
        await self.put_group()
        records = await self.dial(*["1000"] * 12, limit=1)
        self.assertEqual(outcomes(records), {Outcome.FAILED: 8, Outcome.ANSWERED: 4})

    async def test_back_after_the_trial_call(self) -> None:
        await self.sim(number={"1000": UNAVAILABLE})
        await self.put_line(fault_threshold=2, fault_try_interval=500, count=5)
        await self.put_group()
        await self.put_task(limit=5)
        await self.put_numbers(["1000", "1000"])
        self.start_dialer()
        await self.records_of(2)
        out_since = self.switch_log().ends[1].time
        await self.put_numbers(["2000", "2001", "2002", "2003", "2004", "2005"])
        records = await self.records_of(8)
        calls = self.switch_log().originates
        self.assertEqual([call.number for call in calls[2:]], [f"200{index}" for index in range(6)])
        self.assertGreaterEqual(calls[2].time - out_since, 0.45)
        # The trial call goes alone: the next one starts only when that has been answered.
        self.assertGreater(calls[3].time, calls[2].time)
        self.assertEqual(outcomes(records), {Outcome.FAILED: 2, Outcome.ANSWERED: 6})
        self.assertEqual(self.events[-1], "Line l is back in use")
        self.assertEqual(len(self.events), 2)

    async def test_a_failed_trial_is_one_call_an_interval(self) -> None:
        await self.sim(default=UNAVAILABLE)
        await self.put_line(fault_threshold=1, fault_try_interval=250, count=10)
        await self.put_group()
        await self.dial("1000", limit=10)
        await self.put_numbers(numbers(5)[1:])
        await self.records_of(5)
        starts = [call.time for call in self.switch_log().originates]
        for earlier, later in pairwise(starts):
            self.assertGreaterEqual(later - earlier, 0.24)

    async def test_numbers_wait_while_the_only_line_is_out_of_use(self) -> None:
        await self.put_line("bad", fault_threshold=1, fault_try_interval=60_000)
        await self.put_group(line=[["bad"]])
        await self.put_task(limit=1)
        await self.put_numbers(numbers(5))
        self.start_dialer(self.quick())
        await self.records_of(1)
        self.assertEqual(await self.queue(), [number.encode() for number in numbers(5)[1:]])
        # What counts is the text of the line as it is now.
        await self.change_line("bad", fault_threshold=0)
        await self.records_of(5)

    async def test_a_call_that_rang_is_no_fault_where_connect_time_is_set(self) -> None:
        await self.sim(default=RINGS_LONG)
        for name, condition in (
            ("rang", {"connect_time": 300}),
            ("any", {"connect_time": 600_000}),
        ):
            await self.put_line(
                name,
                fault_threshold=1,
                fault_try_interval=60_000,
                fault_condition=condition,
            )
            await self.put_group(f"g{name}", line=[[name]])
            await self.put_task(name, line_group=[f"g{name}"], number_queue=name, limit=1)
            await self.put_numbers(numbers(3), queue=name)
        self.start_dialer()
        records = await self.records_of(4)
        self.assertEqual(Counter(record.task for record in records), {"rang": 3, "any": 1})
        self.assertEqual(len(await self.queue("any")), 2)

    async def test_without_a_threshold_a_line_stays_in_use(self) -> None:
        await self.put_line("bad")
        await self.put_group(line=[["bad"]])
        records = await self.dial(*numbers(20))
        self.assertEqual(outcomes(records), {Outcome.FAILED: 20})


class ChangedLineTests(LineTestCase):
    """A line or a group is changed while calls are up: the account stays right.

    The first calls are up until ``let_go``, however long it takes to change something.
    """

    script: Mapping[str, Any] = {"default": LONG}

    async def campaign(self, amount: int, **line: Any) -> DialerService:
        """Start to dial ``amount`` numbers over one line."""
        await self.put_line(**line)
        await self.put_group()
        await self.put_task(limit=50)
        await self.put_numbers(numbers(amount))
        return self.start_dialer(self.quick())

    async def let_go(self) -> None:
        """Hang up; the calls that come after are short."""
        await self.sim(**TALKING)
        await self.hang_up()

    def seconds(self) -> float:
        """Return the time of the last thing that the switch has seen."""
        log = self.switch_log()
        moments = [line.time for line in log.originates] + [line.time for line in log.ends]
        return max(moments)

    async def assert_all_done(self, dialer: DialerService, count: int) -> None:
        """Check that everything was dialed once, and that no account has kept anything."""
        records = await self.records_of(count)
        self.assertEqual(sorted(self.switch_log().numbers), numbers(count))
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: count})
        self.assert_accounted_for(records)
        await self.nothing_in_flight()
        left = {name: state.calls for name, state in dialer.parts.lines.states.items()}
        self.assertEqual(set(left.values()), {0}, left)
        self.assertEqual(dialer.parts.slots.calls, 0)

    async def in_force(self, dialer: DialerService, count: int | None) -> None:
        """Wait until the line has this ``count`` (None = it is gone)."""

        async def is_so() -> bool:
            line = dialer.parts.tables.routes.lines.get("l")
            return (line.count if line else None) == count

        await self.until(f"count {count} is in force", is_so)

    async def group_is(self, dialer: DialerService, is_so: Callable[[LineGroup], bool]) -> None:
        """Wait until the group is as it was changed."""

        async def is_changed() -> bool:
            return is_so(dialer.parts.tables.routes.groups["g"])

        await self.until("the change of the group is in force", is_changed)

    async def test_count_goes_down_and_up(self) -> None:
        dialer = await self.campaign(30, count=6)
        await self.dialed(6)
        await self.change_line(count=2)
        await self.in_force(dialer, 2)
        await self.let_go()
        await self.dialed(10)
        await self.change_line(count=8)
        await self.assert_all_done(dialer, 30)
        self.assertEqual(self.most_on("l"), 8)
        starts = self.calls_through("l")[6:]
        # The six calls of before had to go down to one before the next could start.
        log = self.switch_log()
        ended = [end for end in log.ends if end.time <= starts[0].time]
        self.assertGreaterEqual(len(ended), 5)
        self.assertLessEqual(_up_at(log, starts[1].time), 2)

    async def test_a_line_that_is_removed_and_put_back_keeps_its_calls(self) -> None:
        dialer = await self.campaign(16, count=4)
        await self.dialed(4)
        await self.change(keys.LINE, "l", None)
        await self.in_force(dialer, None)
        await self.put_line(count=4)
        await self.published(keys.LINE)
        await self.in_force(dialer, 4)
        await self.let_go()
        await self.assert_all_done(dialer, 16)
        self.assertEqual(self.most_on("l"), 4)

    async def test_a_line_that_is_removed_takes_no_new_call(self) -> None:
        dialer = await self.campaign(8, count=4)
        await self.dialed(4)
        await self.change(keys.LINE, "l", None)
        await self.in_force(dialer, None)
        await self.let_go()
        await self.records_of(4)
        self.assertEqual(len(await self.queue()), 4)
        self.assertEqual(len(self.switch_log().originates), 4)
        await self.change_line(count=4)
        await self.assert_all_done(dialer, 8)

    async def test_a_group_that_is_removed_and_put_back(self) -> None:
        dialer = await self.campaign(12, count=3)
        await self.dialed(3)
        await self.change(keys.LINE_GROUP, "g", {"line": [["l"]], "enable": False})
        await self.group_is(dialer, lambda group: not group.enabled)
        await self.let_go()
        await self.records_of(3)
        self.assertEqual(len(await self.queue()), 9)
        await self.change(keys.LINE_GROUP, "g", {"line": [["l"]]})
        await self.assert_all_done(dialer, 12)
        self.assertEqual(self.most_on("l"), 3)

    async def test_a_group_that_goes_while_calls_are_up_ends_its_redials(self) -> None:
        await self.sim(default={"result": "busy", "ring": 3600})
        await self.put_line()
        await self.put_group(redialer_count=50)
        await self.put_task(limit=2)
        await self.put_numbers(numbers(2))
        dialer = self.start_dialer(self.quick())
        ringing = await self.dialed(2)
        await self.change(keys.LINE_GROUP, "g", {"line": [["l"]], "redialer_count": 1})
        await self.group_is(dialer, lambda group: group.redials == 1)
        await self.sim(default=BUSY)
        for call in ringing:
            await self.order(f"uuid_kill {call.uuid_asked} USER_BUSY")
        records = await self.records_of(2)
        self.assertEqual([len(record.attempts) for record in records], [2, 2])

    async def test_a_broken_line_has_no_room(self) -> None:
        dialer = await self.campaign(8, count=4)
        await self.dialed(4)
        await self.put(keys.at(keys.LINE, "fs1"), {"l": '{"params": {"count": "many"'})
        await self.published(keys.LINE, "l")
        await self.in_force(dialer, 0)
        await self.let_go()
        await self.records_of(4)
        self.assertEqual(len(await self.queue()), 4)
        await self.change_line(count=4)
        await self.assert_all_done(dialer, 8)

    async def test_edits_all_the_time(self) -> None:
        await self.sim(**TALKING)
        dialer = await self.campaign(60, count=5)
        await self.dialed(5)
        for count in (3, 7, 1, 10, None, 4, None, 5) * 2:
            so_far = len(self.switch_log().originates)
            if count is None:
                await self.change(keys.LINE, "l", None)
            else:
                await self.change_line(count=count)
            await self.in_force(dialer, count)
            if count and _up_at(self.switch_log(), self.seconds()) < count and so_far < 55:
                await self.dialed(so_far + 1)
        await self.assert_all_done(dialer, 60)
        self.assertLessEqual(self.most_on("l"), 10)


def _up_at(log: CallLog, time: float) -> int:
    """Return how many calls are up at a moment of the switch's log."""
    started = sum(call.time <= time for call in log.originates)
    return started - sum(end.time <= time for end in log.ends)
