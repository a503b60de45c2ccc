"""``ctidialer requeue``, as it is used: numbers that wait, or ended so, are called anew."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.record import Kind, Outcome
from ctidialer.store.waiting import Waiting
from tests.cli.command_case import HOST, CommandTestCase
from tests.cli.node_command_case import NodeCommandCase
from tests.dialer.test_waiting import BUSY, LATER, TALKS, WaitingCase
from tests.support.waiting import T, let_wait, put_record


class RequeueTests(CommandTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        await self.put_task()

    async def queue(self, name: str = "q") -> object:
        return await self.call("LRANGE", name, 0, -1)

    async def test_numbers_that_wait(self) -> None:
        await let_wait(self.redis, b"1", b"2")
        done = await self.on_node("requeue", "t", "--waiting", stdin=b"n\n")
        self.assertEqual((done.status, done.out, await self.queue()), (1, "", []))
        said = "2 numbers that wait (retry 2). Put them into the list 'q', to be called?"
        self.assertIn(said, done.err)
        done = await self.on_node("requeue", "t", "--waiting", stdin=b"y\n")
        said = "the task \"t\": 2 numbers were queued anew in the list 'q'\n"
        self.assertEqual((done.status, done.out), (0, said))
        self.assertEqual(await self.queue(), [b"1", b"2"])
        self.assertEqual(await self.call("EXISTS", T.key), 0)

    async def test_numbers_of_given_outcomes(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY)
        await put_record(self.redis, "2", Outcome.NO_ANSWER)
        await put_record(self.redis, "3", Outcome.ANSWERED)
        await put_record(self.redis, "4", Outcome.BUSY, host="fs2")
        await self.call("RPUSH", "q", "1")
        which = ("--outcome", "busy", "--outcome", "no_answer")
        done = await self.on_node("requeue", "t", *which, stdin=b"n\n")
        self.assertIn("2 numbers that ended last as busy, no_answer. Put them into", done.err)
        done = await self.on_node("requeue", "t", *which, "--yes", "--json")
        answer = {"task": "t", "host": HOST, "queue": "q", "found": 2, "left_out": 1}
        self.assertEqual(done.json(), {**answer, "queued": 2, "unsure": 0})
        queued = await self.queue()
        assert isinstance(queued, list)
        self.assertEqual(queued[0], b"1")
        self.assertCountEqual(queued[1:], [b"2", b"4"])  # of two hosts, in the same millisecond
        done = await self.on_node("requeue", "t", *which, "--yes")
        self.assertIn("0 numbers were queued anew in the list 'q'; left out", done.out)

    async def test_a_reason_that_no_record_would_tell_is_refused(self) -> None:
        done = await self.on_node(
            "requeue", "t", "--outcome", "busy", "--why", "a new list", "--yes"
        )
        self.assertEqual(done.status, 2)
        self.assertIn("--why goes with --waiting", done.err)

    async def test_within_a_time(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY, ended_at=1_700_000_000.0)
        await put_record(self.redis, "2", Outcome.BUSY, ended_at=1_700_086_400.0)
        span = ("--since", "2023-11-14", "--until", "2023-11-15")
        await self.on_node("requeue", "t", "--outcome", "busy", *span, "--yes")
        self.assertEqual(await self.queue(), [b"1"])
        wrong = await self.on_node("requeue", "t", "--outcome", "busy", "--since", "soon")
        self.assertEqual(wrong.status, 2)
        self.assertIn("--since must be a moment like", wrong.err)

    async def test_a_task_of_the_host_alone_has_the_records_of_the_host(self) -> None:
        await self.call("DEL", keys.at(keys.TASK, keys.TEMPLATE))
        await self.put(
            keys.at(keys.TASK, HOST),
            {
                "t": {
                    "params": {
                        "enable": True,
                        "line_group": ["g"],
                        "limit": 1,
                        "number_queue": "mine",
                        "destination_extension": "1",
                    }
                }
            },
        )
        await put_record(self.redis, "1", Outcome.BUSY)
        await put_record(self.redis, "2", Outcome.BUSY, host="fs2")
        await self.on_node("requeue", "t", "--outcome", "busy", "--yes")
        self.assertEqual(await self.queue("mine"), [b"1"])

    async def test_another_list(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY)
        which = ("--outcome", "busy", "--to", "later")
        done = await self.on_node("requeue", "t", *which, stdin=b"y\n")
        self.assertIn("'later', which is no queue of the task", done.err)
        self.assertEqual((await self.queue("later"), await self.queue()), ([b"1"], []))

    async def test_scheduled_numbers_need_a_list(self) -> None:
        where = Waiting(HOST, Kind.SCHEDULE, "c")
        member = b'{"params": {"number": "8", "config": "c"}}'
        await let_wait(self.redis, member, where=where)
        done = await self.on_node("requeue", "--schedule", "c", "--waiting", "--yes")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("--to names one", done.err)
        await self.on_node("requeue", "--schedule", "c", "--waiting", "--to", "q", "--yes")
        self.assertEqual(await self.queue(), [member])

    async def test_who_opted_out_is_left_alone(self) -> None:
        done = await self.on_node("requeue", "t", "--outcome", "dnc", "--yes")
        self.assertEqual(done.status, 2)
        self.assertIn("not called again", done.err)

    async def test_wrong_usage_and_nobody(self) -> None:
        for words in ((), ("--waiting", "--outcome", "busy"), ("--since", "1h")):
            done = await self.on_node("requeue", "t", *words)
            self.assertEqual(done.status, 2, words)
        done = await self.on_node("requeue", "x", "--waiting", "--yes")
        self.assertEqual(done.status, 1)
        self.assertIn('there is no task "x"', done.err)


class BesideADaemonTests(NodeCommandCase, WaitingCase):
    async def test_they_are_called_at_once(self) -> None:
        await self.usual_tables(retry_plan=LATER)
        await self.sim(number={"1001": [BUSY, TALKS]}, default=TALKS)
        self.start_dialer()
        await self.put_numbers(["1001"])
        await self.all_wait(1)
        done = await self.on_node("requeue", "t", "--waiting", "--yes")
        self.assertEqual(done.status, 0, done)
        await self.dialed(2)

        async def ended() -> int:
            return sum(one.is_final for one in await self.records())

        await self.until_count("both lives of the number have ended", 2, ended)
        await self.nothing_in_flight()
        busy, old, new = await self.records()
        self.assertEqual((busy.first_id, busy.is_final), (old.first_id, False))
        self.assertEqual((old.outcome, old.try_number), (Outcome.CANCELED, 2))
        self.assertEqual((new.outcome, new.try_number), (Outcome.ANSWERED, 1))
        self.assertNotEqual(new.first_id, old.first_id)
