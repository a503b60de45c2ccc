"""Queue dialing through the whole node: how many calls, how fast, in which order."""

from __future__ import annotations

from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.dialer.switch_case import LONG
from tests.support.node import outcomes, starts_of

SLOW = 0.4
"""Seconds that a busy machine may need to give the first number."""


class LimitTests(QueueCase):
    """``limit`` counts calls from the originate to the hang-up."""

    async def test_the_limit_is_reached_and_never_exceeded(self) -> None:
        await self.usual_tables(limit=5)
        await self.sim(default=LONG)
        await self.put_numbers(NUMBERS[:80])
        self.start_dialer()
        await self.dialed(5)
        await self.sim(default={"result": "answer", "ring": [0, 0.03], "talk": [0.01, 0.06]})
        await self.hang_up()
        records = await self.records_of(80)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 80})
        self.assertEqual(self.most_at_once(), 5)

    async def test_a_slot_is_held_until_the_hang_up_and_then_refilled(self) -> None:
        await self.usual_tables(limit=1)
        await self.sim(default={"result": "answer", "talk": 0.2})
        await self.put_numbers(NUMBERS[:4])
        self.start_dialer()
        await self.records_of(4)
        log = self.switch_log()
        gaps = [
            after.time - before.time
            for before, after in zip(log.ends, log.originates[1:], strict=False)
        ]
        self.assertTrue(all(gap >= 0 for gap in gaps), gaps)

    async def test_the_slot_is_held_through_redials(self) -> None:
        await self.usual_tables(limit=1)
        await self.put_group(redialer_count=1, rest=200)
        await self.sim(number={NUMBERS[0]: {"result": "busy"}})
        await self.put_numbers(NUMBERS[:2])
        self.start_dialer()
        await self.records_of(2)
        self.assertEqual(self.numbers_dialed(), [NUMBERS[0], NUMBERS[0], NUMBERS[1]])

    async def test_two_tasks_have_a_limit_each(self) -> None:
        await self.usual_tables(limit=2)
        await self.put_task("u", limit=3, number_queue="r")
        await self.sim(default=LONG)
        await self.put_numbers(NUMBERS[:10])
        await self.put_numbers(NUMBERS[10:25], "r")
        self.start_dialer()
        await self.dialed(5)
        await self.sim(default={"result": "answer", "talk": 0.1})
        await self.hang_up()
        await self.records_of(25)
        self.assertEqual(self.most_at_once(), 5)

    async def test_numbers_wait_in_their_list(self) -> None:
        await self.usual_tables(limit=2)
        await self.sim(default=LONG)
        await self.put_numbers(NUMBERS[:10])
        self.start_dialer()
        await self.dialed(2)
        self.assertEqual(len(await self.queue()), 8)
        await self.call("DEL", "q")
        await self.hang_up()

    async def test_tasks_that_dial_nothing(self) -> None:
        await self.usual_tables()
        await self.put_canary()
        idle: list[dict[str, Any]] = [
            {"limit": 0},
            {"enable": False},
            {"enable": "false"},
            {"enable": None},
            {"limit": None},
            {"line_group": None},
            {"destination_extension": None},
        ]
        for at, params in enumerate(idle):
            await self.put_task(f"idle{at}", number_queue=f"idle{at}", **params)
            await self.put_numbers(["13800000000"], f"idle{at}")
        self.start_dialer()
        await self.canary()
        self.assertEqual(self.numbers_dialed(), [])
        for at in range(len(idle)):
            self.assertEqual(await self.queue(f"idle{at}"), [b"13800000000"], idle[at])


class PaceTests(QueueCase):
    """``cps`` spaces the starts; there is no burst, at the beginning or later.

    A start has its time when its number is asked for.  Where Redis takes a while to give the first
    one, it is placed so much nearer to the next: ``SLOW`` is left for that.
    """

    async def starts(self, count: int) -> list[float]:
        """Return when the daemon placed the calls."""
        await self.put_numbers(NUMBERS[:count])
        self.start_dialer()
        return starts_of(await self.records_of(count))

    async def test_calls_start_at_the_rate(self) -> None:
        await self.usual_tables(limit=100, cps=20)
        starts = await self.starts(30)
        # Late by up to 0.1 s the dialer catches up: two slots more than the plain rate.
        for first, begun in enumerate(starts):
            for last in range(first, len(starts)):
                most = 20 * (starts[last] - begun) + 1 + 2 + 1
                self.assertLessEqual(last - first + 1, most, (first, last))

    async def test_less_than_one_a_second(self) -> None:
        await self.usual_tables(cps=0.8)
        first, _, third = await self.starts(3)
        self.assertGreater(third - first, 2 / 0.8 - SLOW)

    async def test_a_pause_saves_up_nothing(self) -> None:
        await self.usual_tables(limit=100, cps=10)
        await self.starts(1)
        await self.put_canary()
        await self.published(keys.TASK)
        await self.canary(looks=10)
        await self.put_numbers(NUMBERS[1:17])
        records = await self.records_of(1 + 10 + 16)
        starts = starts_of(one for one in records if one.number in NUMBERS[1:17])
        self.assertGreater(starts[-1] - starts[0], 15 / 10 - SLOW)

    async def test_the_whole_nodes_limits(self) -> None:
        await self.usual_tables(limit=50)
        await self.put_task("u", limit=50, number_queue="r")
        await self.sim(default=LONG)
        await self.put_numbers(NUMBERS[:30])
        await self.put_numbers(NUMBERS[30:60], "r")
        self.start_dialer(self.settings(max_calls=7))
        await self.dialed(7)
        await self.sim(default={"result": "answer", "talk": 0.05})
        await self.hang_up()
        await self.records_of(60)
        self.assertEqual(self.most_at_once(), 7)

    async def test_no_task_has_all_that_the_node_may_do(self) -> None:
        """The slots that come free, one after the other, go to the two tasks in turn."""
        await self.usual_tables(limit=50)
        await self.put_task("u", limit=50, number_queue="r")
        for at in range(5):
            await self.put_task(f"empty{at}", number_queue=f"empty{at}")
        await self.sim(default=LONG)
        await self.put_numbers(NUMBERS[:60])
        await self.put_numbers(NUMBERS[100:160], "r")
        self.start_dialer(self.settings(max_calls=4))
        for turn in range(10):
            calls = await self.dialed(4 + turn)
            await self.order(f"uuid_kill {calls[turn].uuid_asked}")
        await self.dialed(14)
        of_t = [number in NUMBERS[:60] for number in self.numbers_dialed()[4:]]
        self.assertIn(of_t, ([True, False] * 5, [False, True] * 5))
        await self.call("DEL", "q", "r")
        await self.hang_up()

    async def test_the_whole_nodes_rate(self) -> None:
        await self.usual_tables(limit=50)
        await self.put_task("u", limit=50, number_queue="r")
        await self.put_numbers(NUMBERS[:20])
        await self.put_numbers(NUMBERS[20:40], "r")
        self.start_dialer(self.settings(max_cps=20))
        starts = starts_of(await self.records_of(40))
        self.assertGreater(starts[-1] - starts[0], 39 / 20 - SLOW)


class OrderTests(QueueCase):
    """First in, first out."""

    async def dial(self, **params: Any) -> list[str]:
        await self.usual_tables(**params)
        await self.put_numbers(NUMBERS[:60])
        self.start_dialer()
        await self.records_of(60)
        return self.numbers_dialed()

    async def test_from_the_left(self) -> None:
        self.assertEqual(await self.dial(limit=1), NUMBERS[:60])

    async def test_many_at_once_from_the_left(self) -> None:
        self.assertEqual(await self.dial(limit=20), NUMBERS[:60])

    async def test_from_the_right(self) -> None:
        dialed = await self.dial(limit=7, number_queue_side="right")
        self.assertEqual(dialed, NUMBERS[:60][::-1])

    async def test_signs_and_noughts_survive(self) -> None:
        numbers = ["+8613800138000", "0755123", "00", "*123#", "0" * 32]
        await self.usual_tables(limit=1)
        await self.put_numbers([*numbers, '{"params":{"number":755123}}', " 0138 \n"])
        self.start_dialer()
        records = await self.records_of(7)
        self.assertEqual(self.numbers_dialed(), [*numbers, "755123", "0138"])
        self.assertEqual([record.number for record in records], self.numbers_dialed())
