"""What becomes of the numbers in flight of a host that is gone."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from ctidialer.contract import keys
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.contract.record_document import decode_record
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried, WaitReason
from ctidialer.nodes.adoption import Adopted, Adoption
from ctidialer.rules.itinerary import Itinerary
from ctidialer.rules.progress import Progress
from ctidialer.settings import Node, Settings
from ctidialer.store.errors import LeaseHeld, LeaseLost
from ctidialer.store.in_flight import NO_CALL, Claimed, Dialing
from ctidialer.store.waiting import Waiting
from tests.store.test_claim import StoreTestCase

SETTINGS = Settings(node=Node(host="fs2", domain="fs2", timezone="UTC"))
GROUPS = Itinerary(groups=("g",))
BUSY = AttemptRecord("u0", "l", "g", 100.0, ended_at=101.0, hangup_cause="USER_BUSY", sip_code=486)


class AdoptionCase(StoreTestCase):
    """``self.store`` is that of the daemon of fs1, which is then gone."""

    async def claimed(self, *numbers: str) -> list[Claimed]:
        await self.call("RPUSH", "q", *numbers)
        return await self.store.claim("q", Side.LEFT, len(numbers), task="t")

    async def note(self, claim: Claimed, uuid: str, *before: AttemptRecord) -> None:
        progress = Progress(GROUPS, before, 200.0).encode()
        await self.store.note_dialing(claim.id, Dialing(uuid, "l", "g", len(before) + 1, progress))

    async def adopt(self, up: Sequence[str] | None = None) -> Adopted:
        async def still_up(calls: Sequence[str]) -> list[str]:
            assert up is not None
            return [call for call in calls if call in up]

        asks = None if up is None else still_up
        return await Adoption(self.redis, SETTINGS, "fs1", "ann@pbx", asks).run()

    async def records(self) -> list[Record]:
        reply = await self.call("XRANGE", keys.records("fs1"), "-", "+")
        assert isinstance(reply, list)
        return [decode_record(fields[1]) for _, fields in reply]  # type: ignore[misc,index,arg-type]


class AdoptionTests(AdoptionCase):
    async def test_never_while_a_daemon_is_alive(self) -> None:
        (claim,) = await self.claimed("1001")
        with self.assertRaises(LeaseHeld):
            await self.adopt()
        self.assertEqual([one.id for one in await self.store.in_flight()], [claim.id])
        self.assertEqual(await self.queue(), [])

    async def test_what_was_never_called_goes_back_in_order(self) -> None:
        await self.claimed("1001", "1002", "1003")
        await self.call("RPUSH", "q", "1004")
        await self.call("DEL", keys.lease("fs1"))
        adopted = await self.adopt()
        self.assertEqual(adopted, Adopted("fs1", given_back=3))
        self.assertEqual(await self.queue(), [b"1001", b"1002", b"1003", b"1004"])
        self.assertEqual(await self.records(), [])
        self.assertEqual(await self.call("EXISTS", keys.lease("fs1"), keys.in_flight("fs1")), 0)

    async def test_what_may_have_been_called_is_called_no_more(self) -> None:
        sent, answered, rested, held, unreadable = await self.claimed(*"12345")
        await self.note(sent, "u1")
        await self.note(answered, "u2", BUSY)
        await self.store.note_answered(answered.id, "u2", 205.0)
        await self.note(rested, NO_CALL, BUSY)
        await self.note(held, NO_CALL)
        await self.store.note_dialing(unreadable.id, Dialing(NO_CALL, "l", "g", 2, b"?"))
        await self.call("DEL", keys.lease("fs1"))
        adopted = await self.adopt()
        ended = {Outcome.UNKNOWN: 2, Outcome.ANSWERED: 1, Outcome.BUSY: 1}
        self.assertEqual((adopted.given_back, adopted.ended), (1, Counter(ended)))
        self.assertEqual(await self.queue(), [b"4"])
        found = {record.number: record for record in await self.records()}
        self.assertEqual(
            {number: record.outcome for number, record in found.items()},
            {
                "1": Outcome.UNKNOWN,
                "2": Outcome.ANSWERED,
                "3": Outcome.BUSY,
                "5": Outcome.UNKNOWN,
            },
        )
        self.assertEqual([one.uuid for one in found["2"].attempts], ["u0", "u2"])
        self.assertEqual(found["2"].attempts[1].answered_at, 205.0)
        self.assertEqual(found["1"].attempts[0].dialed_at, 200.0)
        self.assertEqual((found["1"].host, found["1"].task, found["1"].id), ("fs1", "t", sent.id))
        self.assertIn("cannot be learnt", found["1"].reason)
        self.assertEqual(await self.adopt(), Adopted("fs1"))

    async def test_what_freeswitch_still_has_stays(self) -> None:
        up, over = await self.claimed("1001", "1002")
        await self.note(up, "u1")
        await self.note(over, "u2")
        await self.call("DEL", keys.lease("fs1"))
        adopted = await self.adopt(up=["u1"])
        self.assertEqual((adopted.up, adopted.ended), (1, Counter({Outcome.UNKNOWN: 1})))
        self.assertEqual([one.id for one in await self.store.in_flight()], [up.id])
        adopted = await self.adopt(up=[])
        self.assertEqual((adopted.up, adopted.ended), (0, Counter({Outcome.UNKNOWN: 1})))

    async def test_a_scheduled_number_and_one_that_waited(self) -> None:
        member = json.dumps({"params": {"number": "777", "config": "c"}})
        schedule = keys.at(keys.SCHEDULE_NUMBER, "fs1")
        await self.call("ZADD", schedule, 50, member, 60, member.replace("777", "778"))
        first, _ = await self.store.claim_due(schedule, 2, 100.0)
        await self.note(first, "u1")
        (other,) = await self.claimed("1001")
        await self.note(other, "u2")
        where = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")
        carried = Carried(other.id, 10.0, 20.0, WaitReason.RETRY, tried=1, queue="q", side="left")
        await self.store.wait(other.id, where, carried, 30.0)
        (again,) = await self.store.claim_waiting(where, 1, "t")
        await self.note(again, "u3")
        await self.call("DEL", keys.lease("fs1"))
        adopted = await self.adopt()
        self.assertEqual((adopted.given_back, adopted.ended.total()), (1, 2))
        self.assertEqual(
            await self.call("ZRANGE", schedule, 0, -1, "WITHSCORES"),
            [
                member.replace("777", "778").encode(),
                b"60",
            ],
        )
        scheduled, retried = await self.records()
        self.assertEqual((scheduled.kind, scheduled.task), (Kind.SCHEDULE, "c"))
        self.assertEqual((scheduled.number, scheduled.is_final), ("777", True))
        self.assertEqual((retried.try_number, retried.first_id), (2, other.id))
        self.assertEqual(retried.taken_at, 10.0)

    async def test_numbers_that_wait_for_this_host_alone_are_told(self) -> None:
        (claim,) = await self.claimed("1001")
        where = Waiting("fs1", Kind.QUEUE, "own")
        carried = Carried(claim.id, 10.0, 20.0, WaitReason.RETRY)
        await self.store.wait(claim.id, where, carried, 30.0)
        await self.call("DEL", keys.lease("fs1"))
        self.assertEqual((await self.adopt()).waiting, 1)

    async def test_an_entry_that_cannot_be_read_is_left_alone(self) -> None:
        await self.call("HSET", keys.in_flight("fs1"), "x-1-0", '{"v":99}\n\n1001')
        await self.call("DEL", keys.lease("fs1"))
        self.assertEqual(await self.adopt(), Adopted("fs1", unreadable=1))
        self.assertEqual(await self.call("HLEN", keys.in_flight("fs1")), 1)

    async def test_a_key_that_cannot_take_its_numbers_back(self) -> None:
        await self.claimed("1001", "1002")
        await self.call("SET", "q", "x")
        await self.call("DEL", keys.lease("fs1"))
        adopted = await self.adopt()
        self.assertEqual(adopted.given_back, 0)
        self.assertIn("'q' holds a string", adopted.refused)
        await self.call("DEL", "q")
        self.assertEqual((await self.adopt()).given_back, 2)

    async def test_who_loses_the_lease_says_so_once(self) -> None:
        for index, claim in enumerate(await self.claimed("1001", "1002", "1003")):
            await self.note(claim, f"u{index}")
        await self.call("DEL", keys.lease("fs1"))

        async def steals(calls: Sequence[str]) -> list[str]:
            await self.call("HSET", keys.lease("fs1"), "token", "another")
            return []

        with self.assertRaises(LeaseLost):
            await Adoption(self.redis, SETTINGS, "fs1", "ann@pbx", steals).run()
        gc.collect()
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(len(await self.store.in_flight()), 3)

    async def test_a_daemon_that_comes_back_finds_itself_displaced(self) -> None:
        """It learns that its number was settled; its own record is not written too."""
        (claim,) = await self.claimed("1001")
        await self.note(claim, "u1")
        await self.call("DEL", keys.lease("fs1"))
        await self.adopt()
        with self.assertRaises(LeaseLost):
            await self.store.settle(claim.id, b"{}")
        self.assertTrue(await self.store.renew_lease())
        self.assertFalse(await self.store.settle(claim.id, b"{}"))
        self.assertEqual(len(await self.records()), 1)

    async def test_many_are_ended_step_by_step(self) -> None:
        claims = await self.claimed(*map(str, range(1000, 1250)))
        for index, claim in enumerate(claims):
            await self.note(claim, f"u{index}")
        await self.call("DEL", keys.lease("fs1"))
        self.assertEqual((await self.adopt()).ended, Counter({Outcome.UNKNOWN: 250}))
        self.assertEqual(len(await self.records()), 250)


class DestinationTests(AdoptionCase):
    async def test_records_go_where_the_settings_say(self) -> None:
        (claim,) = await self.claimed("1001")
        await self.note(claim, "u1")
        await self.call("DEL", keys.lease("fs1"))
        settings = replace(SETTINGS, records=replace(SETTINGS.records, list="cdr"))
        await Adoption(self.redis, settings, "fs1", "ann").run()
        self.assertEqual(await self.call("LLEN", "cdr"), 1)
