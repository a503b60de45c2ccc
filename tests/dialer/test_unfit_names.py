"""Names that no call can carry cost no number: all stay where they are until it is mended."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ctidialer.contract import keys
from tests.support.node import HOST, NodeTestCase

UNFIT = "carrier 1"


class UnfitNameTests(NodeTestCase):
    """A task that is dialed beside shows that the node dials; the unfit one waits."""

    async def assert_waits(self) -> None:
        await self.put_task("other", number_queue="other", line_group=["fit"])
        await self.put_numbers(["13800000001", "13800000002"])
        await self.put_numbers(["13900000001"], "other")
        self.start_dialer()
        (record,) = await self.records_of(1)
        self.assertEqual(record.number, "13900000001")
        await deferLater(reactor, 0.2)  # four ticks in which nothing may be taken
        self.assertEqual(await self.queue(), [b"13800000001", b"13800000002"])

    async def assert_dialed(self, *tables: str) -> None:
        for table in tables:
            await self.published(table)
        await self.records_of(3)
        self.assertEqual(await self.queue(), [])

    async def test_a_group_that_the_default_dial_string_cannot_name(self) -> None:
        await self.put_task(line_group=[UNFIT])
        await self.assert_waits()
        await self.put_task(line_group=["carrier1"])
        await self.assert_dialed(keys.TASK)

    async def test_a_group_that_its_lines_cannot_name(self) -> None:
        await self.put_line("l", dialstring="sofia/gateway/${line_group}/${destination_number}")
        await self.put_group(UNFIT)
        await self.put_task(line_group=[UNFIT])
        await self.assert_waits()
        await self.put_line("l", dialstring="sofia/gateway/l/${destination_number}")
        await self.assert_dialed(keys.LINE)

    async def test_a_group_whose_name_no_variable_carries(self) -> None:
        await self.put_line()
        await self.put_group("{")
        await self.put_task(line_group=["{"])
        await self.assert_waits()
        await self.put_group()
        await self.put_task()
        await self.assert_dialed(keys.LINE_GROUP, keys.TASK)

    async def test_a_task_whose_name_no_variable_carries(self) -> None:
        await self.put_task("${t}")
        await self.assert_waits()
        await self.call("HDEL", keys.at(keys.TASK, keys.TEMPLATE), "${t}")
        await self.put_task("t")
        await self.assert_dialed(keys.TASK)

    async def test_a_line_whose_name_no_variable_carries(self) -> None:
        await self.put_line("a:_:b")
        await self.put_group(line=[["a:_:b"]])
        await self.put_task()
        await self.assert_waits()
        await self.call("HDEL", keys.at(keys.LINE, HOST), "a:_:b")
        await self.put_line()
        await self.put_group()
        await self.assert_dialed(keys.LINE, keys.LINE_GROUP)
