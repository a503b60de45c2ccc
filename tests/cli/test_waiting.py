"""``ctidialer waiting``, as it is used."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.waiting import WaitReason
from ctidialer.store.waiting import Waiting
from tests.cli.command_case import HOST, CommandTestCase
from tests.support.waiting import DUE, let_wait


class WaitingTests(CommandTestCase):
    async def test_each_number_with_its_time_its_reason_and_its_try(self) -> None:
        await self.put_task(timezone="Asia/Shanghai")
        (first,) = await let_wait(self.redis, b"13800138000", tried=2)
        await let_wait(self.redis, b"13800138001", due=DUE + 1, tried=0, reason=WaitReason.HOURS)
        done = await self.on_node("waiting", "t")
        self.assertEqual((done.status, done.err), (0, ""))
        said, head, one, other = done.out.splitlines()
        self.assertEqual(
            said,
            'the task "t": 2 numbers that wait (retry 1, hours 1);'
            " the next is due 2096-10-02 15:06:40 (Asia/Shanghai)",
        )
        self.assertEqual(
            head.split(), ["NUMBER", "DUE", "(Asia/Shanghai)", "REASON", "TRY", "ENTRY_ID"]
        )
        self.assertEqual(
            one.split(), ["13800138000", "2096-10-02", "15:06:40", "retry", "3", first]
        )
        self.assertEqual(other.split()[:5], ["13800138001", "2096-10-02", "15:06:41", "hours", "1"])

    async def test_json(self) -> None:
        await self.put_task()
        (entry_id,) = await let_wait(self.redis, b"\xff")
        answer = (await self.on_node("waiting", "t", "--json")).json()
        self.assertEqual(
            answer,
            {
                "task": "t",
                "host": HOST,
                "waiting": 1,
                "reasons": {"retry": 1, "hours": 0, "cap": 0},
                "next_due": DUE,
                "zone": "UTC",
                "numbers": [
                    {
                        "number": None,
                        "due": DUE,
                        "reason": "retry",
                        "try": 2,
                        "entry_id": entry_id,
                        "entry": "\\xff",
                    }
                ],
            },
        )

    async def listed(self, *options: str) -> list[str]:
        answer = (await self.on_node("waiting", "t", "--json", *options)).json()
        return [one["number"] for one in answer["numbers"]]

    async def test_which_are_listed(self) -> None:
        await self.put_task()
        await let_wait(self.redis, *(str(index).encode() for index in range(1000, 1700)))
        await let_wait(self.redis, b"7", reason=WaitReason.CAP)
        self.assertEqual(len(await self.listed()), 100)
        self.assertEqual(len(await self.listed("--limit", "0")), 701)
        self.assertEqual(await self.listed("--last", "2"), ["1698", "1699"])
        self.assertEqual(await self.listed("--reason", "cap"), ["7"])
        self.assertEqual(len(await self.listed("--reason", "retry", "--limit", "3")), 3)

    async def test_of_a_schedule_configuration_and_of_a_task_that_is_gone(self) -> None:
        await let_wait(self.redis, b"7")
        done = await self.on_node("waiting", "t")
        self.assertEqual(done.status, 0)
        self.assertIn("1 number that waits (retry 1)", done.out)
        where = Waiting(HOST, Kind.SCHEDULE, "c")
        member = b'{"params": {"number": "8", "config": "c"}}'
        await let_wait(self.redis, member, where=where)
        answer = (await self.on_node("waiting", "--schedule", "c", "--json")).json()
        self.assertEqual((answer["config"], answer["numbers"][0]["number"]), ("c", "8"))

    async def test_none_and_nobody(self) -> None:
        await self.put_task()
        done = await self.on_node("waiting", "t")
        self.assertEqual((done.status, done.out), (0, 'the task "t": 0 numbers that wait\n'))
        done = await self.on_node("waiting", "x")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn('there is no task "x"', done.err)
        self.assertEqual((await self.on_node("waiting")).status, 2)

    async def test_a_key_of_a_wrong_type_is_named(self) -> None:
        await self.put_task()
        await self.call("SET", keys.waiting_count(keys.TEMPLATE), "x")
        done = await self.on_node("waiting", "t")
        self.assertEqual(done.status, 1)
        self.assertIn("cti_dialer_waiting_count@template", done.err)
