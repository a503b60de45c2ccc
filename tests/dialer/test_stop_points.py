"""The daemon is killed at each step of a number's life; the next one goes on (docs/faults.rst)."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

from chaos.stop_points import POINTS
from ctidialer.contract import keys
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.dialer.service import DialerService
from ctidialer.store.scripts import CLAIM, NOTE, PERMIT, RETURN, SETTLE, WAIT
from ctidialer.store.waiting import Waiting
from tests.dialer.life.fault_case import FaultCase
from tests.dialer.switch_case import LONG

KILLED = -signal.SIGKILL
FIRST = "1001"
OTHERS = ["1002", "1003"]
SCHEDULED = keys.at(keys.SCHEDULE_NUMBER, "fs1")

RING = 0.2
FIRST_TALKS: dict[str, Any] = {
    "default": {"result": "answer", "talk": 0.02},
    "numbers": {FIRST: {"result": "answer", "ring": RING, "talk": 1.0}},
}
FIRST_IS_BUSY: dict[str, Any] = {
    "default": {"result": "answer", "talk": 0.02},
    "numbers": {FIRST: [{"result": "busy"}, {"result": "answer", "talk": 0.02}]},
}
FIRST_IS_REFUSED: dict[str, Any] = {
    "default": {"result": "answer", "talk": 0.02},
    "numbers": {FIRST: [{"result": "refused"}, {"result": "answer", "talk": 0.02}]},
}
ALL_TALK: dict[str, Any] = {"default": {"result": "answer", "ring": 0.1, "talk": 1.0}}
UNTIL_HUNG_UP: dict[str, Any] = {**LONG, "ring": RING}


class StopPointCase(FaultCase):
    """``stopped`` runs a daemon that is killed at one point; ``recovered`` runs one to the end."""

    async def set_up(self) -> None:
        """Make the scripts known: each is one command, and not two for the first time."""
        await super().set_up()
        for script in (CLAIM, NOTE, PERMIT, SETTLE, RETURN, WAIT):
            await self.call("SCRIPT", "LOAD", script.text)

    async def stopped(self, point: str, count: int = 1) -> None:
        """Run a daemon until it is killed, and let its lease lapse."""
        daemon = self.launch(point, count)
        self.assertEqual(await daemon.ended(), KILLED)
        await self.call("DEL", keys.lease("fs1"))

    async def recovered(self, count: int, up: int = 0) -> dict[str, Record]:
        """Run a daemon until there are ``count`` records; return them by number.

        So many calls are ``up`` until it follows them, however long it takes to start.
        """
        dialer = self.start_dialer(self.settings(call_check_interval=1.0))
        if up:
            await self.followed(dialer, up)
            await self.sim(default={"result": "answer", "talk": 0.02})
            await self.hang_up()
        records = await self.records_of(count)
        await self.nothing_in_flight()
        self.assertEqual(await self.queue(), [])
        self.assertEqual(len(records), len({record.number for record in records}))
        return {record.number or "": record for record in records}

    async def followed(self, dialer: DialerService, count: int) -> None:
        """Wait until the daemon works, and so many calls are up that were answered."""

        async def are_followed() -> bool:
            if not dialer.parts.readiness.gate.is_open or len(dialer.parts.calls) != count:
                return False
            told = [await self.order(f"uuid_dump {one.uuid}") for one in dialer.parts.calls]
            return all("Answer-State: answered" in one for one in told)

        await self.until(f"{count} calls are followed", are_followed)

    def dialed_of(self, number: str) -> int:
        return self.switch_log().numbers.count(number)


class OneNumberTests(StopPointCase):
    """One call at a time: the first number is at the step in question."""

    script = FIRST_TALKS

    async def life(self, point: str, up: int = 0) -> Record:
        """Kill a daemon at ``point`` of the first number; return that number's one record."""
        await self.usual_tables(limit=1)
        await self.put_numbers([FIRST, *OTHERS])
        await self.stopped(point)
        records = await self.recovered(3, up)
        self.assertEqual(set(records), {FIRST, *OTHERS})
        # The slot was free before the record was written: the next one may have been under way.
        good = {Outcome.ANSWERED} | ({Outcome.UNKNOWN} if "record" in point else set())
        for number in OTHERS:
            self.assertIn(records[number].outcome, good)
            self.assertLessEqual(self.dialed_of(number), 1)
        self.assert_one_record_each(tuple(records.values()), [FIRST, *OTHERS])
        return records[FIRST]

    async def assert_given_back(self, point: str) -> None:
        """It was certainly not dialed: it is dialed now, and before those behind it."""
        record = await self.life(point)
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(self.switch_log().numbers, (FIRST, *OTHERS))

    async def assert_not_known(self, point: str, dialed: int) -> None:
        """It may have been dialed, and nothing can be learnt."""
        record = await self.life(point)
        self.assertIs(record.outcome, Outcome.UNKNOWN)
        self.assertEqual(self.dialed_of(FIRST), dialed)
        self.assertEqual(len(record.attempts), 1)

    async def assert_known_to_have_answered(self, point: str) -> None:
        """Its call is over, and how it ended is not known; but its answer was noted."""
        record = await self.life(point)
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(self.dialed_of(FIRST), 1)
        self.assertEqual(len(record.attempts), 1)

    async def assert_followed(self, point: str) -> None:
        """Its call is up: it is followed to its end, and its times are those of the switch."""
        await self.sim(number={FIRST: UNTIL_HUNG_UP})
        record = await self.life(point, up=1)
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(self.dialed_of(FIRST), 1)
        (attempt,) = record.attempts
        self.assertEqual(attempt.hangup_cause, "NORMAL_CLEARING")
        assert attempt.answered_at is not None
        assert attempt.ended_at is not None
        log = self.switch_log()
        (end,) = [line for line in log.ends if line.number == FIRST]
        self.assertGreater(attempt.answered_at, log.originates[0].time + RING - 0.05)
        self.assertGreater(attempt.ended_at, attempt.answered_at)
        self.assertApproximates(attempt.ended_at, end.time, 1.0)

    async def test_its_claim_was_sent(self) -> None:
        await self.assert_given_back("claim sent of q")

    async def test_it_was_claimed(self) -> None:
        await self.assert_given_back("claimed of q")

    async def test_its_call_was_about_to_be_noted(self) -> None:
        await self.assert_given_back("before the note")

    async def test_the_note_was_sent(self) -> None:
        await self.assert_not_known("note sent", dialed=0)

    async def test_its_call_was_noted(self) -> None:
        await self.assert_not_known("noted", dialed=0)

    async def test_its_originate_was_written(self) -> None:
        await self.assert_followed("originate written")

    async def test_its_originate_was_accepted(self) -> None:
        await self.assert_followed("originate accepted")

    async def test_it_has_answered(self) -> None:
        await self.assert_followed("answered")

    async def test_it_has_hung_up(self) -> None:
        await self.assert_known_to_have_answered("hung up")

    async def test_its_record_was_about_to_be_written(self) -> None:
        await self.assert_known_to_have_answered("before the record")

    async def test_its_record_was_sent(self) -> None:
        record = await self.life("record sent")
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(self.dialed_of(FIRST), 1)

    async def test_its_record_was_written(self) -> None:
        record = await self.life("recorded")
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(self.dialed_of(FIRST), 1)


class BetweenTwoCallsTests(StopPointCase):
    """The number rests before its redial."""

    script = FIRST_IS_BUSY

    async def test_the_redial_goes_on_after_the_restart(self) -> None:
        await self.usual_tables(limit=1)
        await self.put_group(redialer_count=1, rest=100)
        await self.put_numbers([FIRST, *OTHERS])
        await self.stopped("resting")
        record = (await self.recovered(3))[FIRST]
        self.assertIs(record.outcome, Outcome.ANSWERED)
        causes = [attempt.hangup_cause for attempt in record.attempts]
        self.assertEqual(causes, ["USER_BUSY", "NORMAL_CLEARING"])
        self.assertEqual(self.dialed_of(FIRST), 2)


class GiveBackTests(StopPointCase):
    """FreeSWITCH has refused the call, and the number goes back."""

    script = FIRST_IS_REFUSED

    async def life(self, point: str) -> Record:
        await self.usual_tables(limit=1)
        await self.put_numbers([FIRST, *OTHERS])
        await self.stopped(point)
        return (await self.recovered(3))[FIRST]

    async def test_it_was_about_to_be_given_back(self) -> None:
        # What the refusal said has gone with the daemon: the call may have been placed.
        record = await self.life("before giving back")
        self.assertIs(record.outcome, Outcome.UNKNOWN)
        self.assertEqual(self.dialed_of(FIRST), 1)

    async def test_it_was_being_given_back(self) -> None:
        record = await self.life("give-back sent")
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(self.switch_log().numbers, (FIRST, FIRST, *OTHERS))

    async def test_it_was_given_back(self) -> None:
        record = await self.life("given back")
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(self.switch_log().numbers, (FIRST, FIRST, *OTHERS))


class WaitTests(StopPointCase):
    """The number is busy, and is called again a second later."""

    script = FIRST_IS_BUSY
    where = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")

    async def life(self, point: str) -> list[Record]:
        """Kill a daemon at ``point``; return the records of the first number, oldest first."""
        plan = [{"outcome": ["busy"], "after": 1, "count": 1}]
        await self.usual_tables(limit=1, retry_plan=plan)
        await self.put_numbers([FIRST, *OTHERS])
        await self.stopped(point)
        self.start_dialer(self.settings(call_check_interval=1.0))

        async def all_over() -> bool:
            records = await self.records()
            return {one.number for one in records if one.is_final} == {FIRST, *OTHERS}

        await self.until("every number has its last record", all_over)
        await self.nothing_in_flight()
        self.assertEqual(await self.call("EXISTS", *self.where.names), 0)
        records = [one for one in await self.records() if one.number == FIRST]
        self.assertEqual([one.try_number for one in records], list(range(1, len(records) + 1)))
        self.assertEqual([one.is_final for one in records][:-1], [False] * (len(records) - 1))
        self.assertEqual(len({one.first_id for one in records}), 1)
        return records

    async def test_it_was_about_to_be_put_to_wait(self) -> None:
        # Its call is over and its entry still says that it may be up: nobody calls it again.
        (record,) = await self.life("before the wait")
        self.assertIs(record.outcome, Outcome.UNKNOWN)
        self.assertEqual(self.dialed_of(FIRST), 1)

    async def test_it_was_being_put_to_wait(self) -> None:
        records = await self.life("wait sent")
        self.assertEqual([one.outcome for one in records], [Outcome.BUSY, Outcome.ANSWERED])
        self.assertEqual(self.dialed_of(FIRST), 2)

    async def test_it_was_put_to_wait(self) -> None:
        records = await self.life("put to wait")
        self.assertEqual([one.outcome for one in records], [Outcome.BUSY, Outcome.ANSWERED])
        self.assertEqual(self.dialed_of(FIRST), 2)

    async def test_it_was_claimed_again(self) -> None:
        records = await self.life(f"claimed of {self.where.key}")
        self.assertEqual([one.outcome for one in records], [Outcome.BUSY, Outcome.ANSWERED])
        self.assertEqual(self.dialed_of(FIRST), 2)


class ManyTests(StopPointCase):
    """Several numbers are at the same step."""

    numbers = tuple(str(1001 + index) for index in range(10))
    script = ALL_TALK

    async def test_what_was_claimed_goes_back_in_its_order(self) -> None:
        await self.usual_tables(limit=5)
        await self.put_numbers(self.numbers)
        await self.stopped("claimed of q")
        self.assertEqual(len(await self.queue()), 5)
        await self.stopped("given back")
        self.assertEqual(await self.queue(), [number.encode() for number in self.numbers])
        await self.recovered(10)
        self.assertEqual(self.switch_log().numbers, self.numbers)

    async def test_killed_again_while_it_recovers(self) -> None:
        await self.usual_tables(limit=5)
        await self.put_numbers(self.numbers)
        await self.stopped("claimed of q")
        await self.stopped("recovering")
        await self.recovered(10)
        self.assertEqual(self.switch_log().numbers, self.numbers)

    async def test_scheduled_numbers_go_back_with_their_times(self) -> None:
        await self.usual_tables()
        config = {"params": {"line_group": ["g"], "destination_extension": "8888"}}
        await self.put(keys.at(keys.SCHEDULE_CONFIG, "fs1"), {"c": config})
        due = int(time.time()) - 5
        for index, number in enumerate(self.numbers):
            member = json.dumps({"params": {"number": number, "config": "c"}})
            await self.call("ZADD", SCHEDULED, str(due + index / 10), member)
        before = await self.call("ZRANGE", SCHEDULED, 0, -1, "WITHSCORES")
        await self.stopped(f"claimed of {SCHEDULED}")
        self.assertEqual(await self.call("ZCARD", SCHEDULED), 0)
        await self.stopped("given back")
        after = await self.call("ZRANGE", SCHEDULED, 0, -1, "WITHSCORES")
        self.assertEqual(after, before)
        await self.recovered(10)
        self.assertEqual(sorted(self.switch_log().numbers), sorted(self.numbers))


class CompletenessTests(StopPointCase):
    async def test_every_point_is_tested(self) -> None:
        texts = [path.read_text("utf-8") for path in Path(__file__).parent.glob("test_stop_p*.py")]
        self.assertEqual([point for point in POINTS if f'"{point}' not in "".join(texts)], [])


class UpTests(StopPointCase):
    """Calls that last until a daemon is there again, however slow the machine is."""

    numbers = tuple(str(1001 + index) for index in range(10))
    script = MappingProxyType({"default": UNTIL_HUNG_UP})

    async def test_calls_that_are_up_are_followed_and_keep_their_slots(self) -> None:
        await self.usual_tables(limit=5)
        await self.put_numbers(self.numbers)
        await self.stopped("answered", count=5)
        records = await self.recovered(10, up=5)
        self.assertEqual({one.outcome for one in records.values()}, {Outcome.ANSWERED})
        self.assertEqual(sorted(self.switch_log().numbers), sorted(self.numbers))
        self.assertEqual(self.most_at_once(), 5)
