"""Scheduled numbers for which there is no line, and more of them than there are lines."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from time import time
from typing import Any

from msgspec.structs import replace

from ctidialer.contract.record import Kind, Outcome
from ctidialer.settings import Schedule
from tests.dialer.line_case import ANSWERS, UNAVAILABLE
from tests.dialer.schedule_case import NUMBERS, ScheduleTestCase, member, so
from tests.dialer.switch_case import LONG
from tests.support.node import outcomes

UNTIL_HUNG_UP: Mapping[str, Any] = {"default": LONG}


class NoLineTests(ScheduleTestCase):
    """Nothing is free when a member's turn comes."""

    script = UNTIL_HUNG_UP

    async def assert_no_line(self) -> None:
        """Plan four numbers for which no line is free, and check what becomes of each."""
        now = time()
        due_again = member("1004", expires=int(now) + 3600)
        await self.plan(
            member("1001"), member("1002", expires=0), member("1003", expires=now - 5), due_again
        )

        async def is_written_back() -> bool:
            return (await self.planned()).get(due_again, 0) > now

        await self.until("written back", is_written_back)
        (score,) = (await self.planned()).values()
        self.assertGreaterEqual(score, now + 60)
        self.assertLess(score, time() + 60.5)
        records = {record.number: record for record in await self.records_of(3)}
        self.assertEqual(
            {number: record.outcome for number, record in records.items()},
            {"1001": Outcome.NO_LINE, "1002": Outcome.NO_LINE, "1003": Outcome.EXPIRED},
        )
        self.assertEqual(records["1001"].attempts, ())
        self.assertNotEqual(records["1001"].reason, "")
        await self.hang_up()
        await self.nothing_in_flight()
        self.assertEqual(list(await self.planned()), [due_again])

    async def test_the_only_line_is_busy(self) -> None:
        await self.usual_schedule(count=1)
        await self.put_task(limit=1)
        await self.put_numbers(["2000"])
        self.start()
        await self.dialed(1)
        await self.assert_no_line()
        self.assertEqual(self.switch_log().numbers, ("2000",))

    async def test_the_group_is_not_enabled(self) -> None:
        await self.usual_schedule()
        await self.put_group(enable=False)
        self.start()
        await self.assert_no_line()

    async def test_what_was_written_back_is_called_when_a_line_is_free(self) -> None:
        await self.sim(default=ANSWERS)
        await self.usual_schedule(count=0)
        one = member("1001", variables={"name": "值"}, expires=int(time()) + 3600)
        await self.plan(one)
        dialer = self.start()

        async def is_written_back() -> bool:
            return (await self.planned()).get(one, 0) > time() + 50

        await self.until("written back", is_written_back)
        await self.change_line(count=1)
        await self.until(
            "the line is there", lambda: so(dialer.parts.tables.routes.lines["l"].count == 1)
        )
        await self.plan(one)
        (record,) = await self.records_of(1)
        self.assertEqual((record.entry, record.outcome), (one, Outcome.ANSWERED))

    async def test_a_failed_call_without_a_further_line_is_finished(self) -> None:
        await self.sim(gateway={"down": UNAVAILABLE})
        await self.put_line("down")
        await self.put_line("none", count=0)
        await self.put_group("first", line=[["down"]])
        await self.put_group("second", line=[["none"]])
        await self.put_config(line_group=["first", "second"])
        await self.plan(member("1001", expires=int(time()) + 3600))
        self.start()
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.FAILED)
        self.assertEqual(len(record.attempts), 1)


class BacklogTests(ScheduleTestCase):
    """More is due than can be called at once."""

    async def test_lines_that_come_free_work_off_a_backlog(self) -> None:
        """Nobody is told that no line was free, while lines come free all the time."""
        await self.usual_schedule(count=10)
        numbers = [str(number) for number in range(1000, 1200)]
        await self.plan(*map(member, numbers))
        # A poll tells it where no line came free since the one before: for so long no machine
        # keeps all of ten calls up that last for some milliseconds.
        self.start_dialer(replace(self.quick(), schedule=Schedule(poll_interval=1.0)))
        records = await self.records_of(200)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 200})
        self.assertEqual(sorted(self.switch_log().numbers), numbers)
        self.assertLessEqual(self.most_on("l"), 10)
        self.assert_accounted_for(records)

    async def test_a_line_that_a_queue_fills_is_shared(self) -> None:
        """As soon as a line is free the queue would take it again."""
        await self.sim(default={"result": "answer", "talk": 0.2})
        await self.usual_schedule(count=5)
        await self.put_task(limit=10)
        await self.put_numbers([f"2{number:04d}" for number in range(1000)])
        dialer = self.start_dialer()
        await self.dialed(20)
        await self.plan(*(member(f"1{number:03d}") for number in range(40)))

        async def are_done() -> bool:
            kinds = [record.kind for record in await self.records()]
            return kinds.count(Kind.SCHEDULE) == 40

        queued_before = await self.queued()
        await self.until("the scheduled numbers are done", are_done)
        queued_meanwhile = await self.queued() - queued_before
        records = [record for record in await self.records() if record.kind is Kind.SCHEDULE]
        print(f"\n{queued_meanwhile} numbers of the queue while 40 scheduled ones were called")
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 40})
        self.assertGreater(queued_meanwhile, 10)
        self.assertLessEqual(self.most_on("l"), 5)
        await dialer.stopService()

    async def test_what_is_kept_for_scheduled_numbers_is_not_kept_for_ever(self) -> None:
        """With nothing due a queue has its lines for itself but for moments."""
        await self.sim(default={"result": "answer", "talk": 0.05})
        await self.usual_schedule(count=2)
        await self.put_task(limit=10)
        numbers = [f"2{number:04d}" for number in range(100)]
        await self.put_numbers(numbers)
        self.start()
        await self.records_of(100)
        log = self.switch_log()
        ends = {line.call: line.time for line in log.ends}
        together = sum(
            any(other.time <= call.time < ends[other.call] for other in log.originates[:index])
            for index, call in enumerate(log.originates)
        )
        print(f"\n{together} of 100 calls on two lines began while another was up")
        self.assertGreater(together, 25)

    async def queued(self) -> int:
        """Return how many numbers of the queue are recorded."""
        return sum(record.kind is Kind.QUEUE for record in await self.records())

    async def test_a_backlog_waits_in_the_set(self) -> None:
        await self.sim(default=LONG)
        await self.usual_schedule(count=3)
        members = [member(str(number), expires=int(time()) + 3600) for number in range(1000, 3000)]
        await self.plan(*members)
        self.start()
        await self.dialed(3)
        began = time()
        await self.until("a poll or two", lambda: so(time() > began + 0.5))
        waiting = await self.planned()
        due = sum(score < time() for score in waiting.values())
        # Only a few with each poll are put off; without a limit all 1,997 were.
        self.assertGreater(due, 1500)
        self.assertEqual(len(self.switch_log().originates), 3)
        await self.call("DEL", NUMBERS)
        await self.sim(default=ANSWERS)
        await self.hang_up()

    async def test_a_backlog_does_not_starve_a_queue(self) -> None:
        """20,000 members are due; numbers of a queue are dialed between them."""
        await self.usual_schedule(count=30)
        await self.put_lines("own", count=5)
        await self.put_group("own", line=[["own"]])
        await self.put_task(line_group=["own"], limit=5)
        await self.plan(*(member(f"1{number:05d}") for number in range(20_000)))
        await self.put_numbers([f"2{number:03d}" for number in range(100)])
        self.start()
        await self.queue_is_dialed(100)
        calls = self.switch_log().originates
        of_queue = [call.time for call in calls if call.number.startswith("2")]
        scheduled = [call.time for call in calls if call.number.startswith("1")]
        between = sum(of_queue[0] < moment < of_queue[-1] for moment in scheduled)
        print(
            f"\n100 numbers of a queue in {of_queue[-1] - of_queue[0]:.2f} s, "
            f"{between} of 20,000 scheduled ones meanwhile"
        )
        self.assertGreater(between, 100)
        self.assertGreater(len(await self.planned()), 10_000)

    async def test_without_limits_a_backlog_is_paced(self) -> None:
        """The default dial string has no count: it must not become 20,000 calls at once."""
        await self.sim(default={"result": "answer", "talk": 0.2})
        await self.put_config(line_group=["carrier"])
        await self.put_task(line_group=["carrier"], limit=5)
        await self.plan(*(member(f"1{number:05d}") for number in range(20_000)))
        await self.put_numbers([f"2{number:03d}" for number in range(20)])
        self.start()
        await self.queue_is_dialed(20)
        await self.dialed(4000)
        # When the daemon placed them: the switch may read them late and together.
        starts = sorted(
            attempt.dialed_at
            for record in await self.records()
            for attempt in record.attempts
            if record.kind is Kind.SCHEDULE
        )
        self.assertGreater(len(starts), 1000)
        most = max(_within_a_second(starts))
        print(
            f"\nat most {most} scheduled calls started in a second, {self.most_at_once()} at once"
        )
        self.assertLessEqual(most, 2200)

    async def queue_is_dialed(self, count: int) -> None:
        """Wait until so many numbers that begin with 2 were dialed."""

        async def dialed() -> int:
            return sum(number.startswith("2") for number in self.switch_log().numbers)

        await self.until_count(f"{count} numbers of the queue", count, dialed)


def _within_a_second(moments: list[float]) -> list[int]:
    return [bisect_left(moments, start + 1) - at for at, start in enumerate(moments)]
