"""The ledger: whatever is done in whatever order, each entry is in exactly one place.

Any sequence of steps by a seed, with answers that are lost on the way: afterwards every entry
stands in its queue, is in flight, waits, or has its one final record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried, WaitReason
from ctidialer.store.errors import StoreUnavailable
from ctidialer.store.in_flight import Dialing, InFlight
from ctidialer.store.store import Store
from ctidialer.store.waiting import Waiting
from ctidialer.store.waiting_orders import RecordKeys, WaitingOrders
from tests.support.proxy import start_proxy
from tests.support.redis import RedisTestCase, link_to

QUEUE = "q"
HERE = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")
SEEDS = range(25)
STEPS = 40
FINAL = b"final "
"""What the record of a number's last try begins with."""


class Walk:
    """One walk by a seed: a daemon, the back end and an operator do things in any order."""

    def __init__(self, case: LedgerTests, seed: int) -> None:
        self.case = case
        self.random = Random(seed)
        self.pushed = 0
        self.dues = 0

    async def step(self) -> None:
        """Do one thing; its answer may be lost."""
        doing = self.random.choice(self.steps())
        self.case.proxy.lose_answers(int(self.random.random() < 0.15))
        try:
            await doing()
        except StoreUnavailable:
            pass  # it may have been done, or not
        finally:
            self.case.proxy.lose_answers(0)
            await self.case.link.when_up(60)

    def steps(self) -> list[Callable[[], Awaitable[None]]]:
        """Return what can be done; some of it twice, as it is more usual."""
        return [
            *(self.push, self.claim, self.claim, self.claim_waiting, self.note, self.settle),
            *(self.wait, self.wait, self.retry, self.give_back, self.restart),
            *(self.cancel, self.requeue, self.cancel_queue),
        ]

    async def push(self) -> None:
        entries = [f"entry {self.pushed + index}\n" for index in range(self.random.randint(1, 4))]
        self.pushed += len(entries)
        await self.case.call("RPUSH", QUEUE, *entries)

    async def claim(self) -> None:
        side = self.random.choice(list(Side))
        await self.case.store.claim(QUEUE, side, self.random.randint(1, 3), task="t")

    async def claim_waiting(self) -> None:
        await self.case.store.claim_waiting(HERE, self.random.randint(1, 3), "t")

    async def settle(self) -> None:
        one = await self.one_in_flight()
        if one is not None:
            await self.case.store.settle(one.id, FINAL + one.entry)

    async def wait(self) -> None:
        await self._let_wait(b"")

    async def retry(self) -> None:
        await self._let_wait(b"try of ")

    async def _let_wait(self, record: bytes) -> None:
        one = await self.one_in_flight()
        if one is None:
            return
        reason = WaitReason.RETRY if record else self.random.choice(list(WaitReason))
        before = one.carried or Carried(one.id, one.taken_at, 0.0, reason, queue=QUEUE)
        carried = Carried(
            before.entry_id, before.taken_at, 1.0, reason, before.tried + bool(record)
        )
        self.dues += 1
        written = record + one.entry if record else b""
        await self.case.store.wait(one.id, HERE, carried, float(self.dues), written)

    async def give_back(self) -> None:
        one = await self.one_in_flight()
        if one is not None:
            await self.case.store.give_back([one.id])

    async def note(self) -> None:
        one = await self.one_in_flight()
        if one is not None:
            await self.case.store.note_dialing(one.id, Dialing("u", None, "g", 1))

    async def cancel(self) -> None:
        await self._end_waiting("")

    async def requeue(self) -> None:
        await self._end_waiting(QUEUE)

    async def _end_waiting(self, queue: str) -> None:
        found = await self.case.orders.waiting(HERE, 0, self.random.randint(1, 3))
        word = b"moved " if queue else FINAL
        ends = [(one.member, word + one.entry) for one in found]
        await self.case.orders.end_waiting(HERE, ends, queue)

    async def cancel_queue(self) -> None:
        found = await self.case.orders.head(QUEUE, self.random.randint(1, 2))
        await self.case.orders.cancel(QUEUE, [(one, FINAL + one) for one in found])

    async def restart(self) -> None:
        """The daemon is killed; the next one takes over what is in flight."""
        await self.case.begin()

    async def one_in_flight(self) -> InFlight | None:
        found = await self.case.store.in_flight()
        return self.random.choice(found) if found else None


class LedgerTests(RedisTestCase):
    timeout = 300

    async def set_up(self) -> None:
        await super().set_up()
        self.proxy = await start_proxy(self, self.url)
        self.link = link_to(self, self.proxy.url, deadline=2.0)
        await self.link.when_up(60)
        self.orders = WaitingOrders(self.link, RecordKeys("fs1", 100_000))

    async def begin(self) -> None:
        """Begin a daemon in place of the one before, whose lease is over."""
        await self.call("HDEL", keys.lease("fs1"), "token", "holder")
        self.store = Store(self.link, "fs1", "daemon", 100_000)
        while True:
            try:
                await self.store.acquire_lease()
                return
            except StoreUnavailable:
                self.proxy.lose_answers(0)
                await self.link.when_up(60)

    async def places(self) -> Counter[bytes]:
        """Return each entry as often as it stands anywhere."""
        found: Counter[bytes] = Counter(await self.read("LRANGE", QUEUE, 0, -1))
        found += Counter(one.entry for one in await self.store.in_flight())
        waiting = await self.read("ZRANGE", HERE.key, 0, -1)
        found += Counter(member.partition(b"\n")[2] for member in waiting)
        records = await self.call("XRANGE", keys.records("fs1"), "-", "+")
        assert isinstance(records, list)
        for row in records:
            assert isinstance(row, list)
            fields = row[1]
            assert isinstance(fields, list)
            assert isinstance(fields[1], bytes)
            if fields[1].startswith(FINAL):
                found[fields[1].removeprefix(FINAL)] += 1
        return found

    async def read(self, *command: str | int) -> list[bytes]:
        reply = await self.call(*command)
        assert isinstance(reply, list)
        return [one for one in reply if isinstance(one, bytes)]

    async def assert_sums_are_right(self) -> None:
        """The counts by reason, and when the next is due, are those of the numbers that wait."""
        head = await self.read("ZRANGE", HERE.key, 0, 0, "WITHSCORES")
        members = await self.read("ZRANGE", HERE.key, 0, -1)
        due = await self.store.due_waiting([HERE.scope])
        counts = await self.store.waiting_counts([HERE.scope])
        self.assertEqual(due, {HERE: float(head[1])} if head else {})
        self.assertEqual(sum(counts.get(HERE, {}).values()), len(members))

    async def test_each_entry_is_in_exactly_one_place_after_any_steps(self) -> None:
        for seed in SEEDS:
            await self.call("FLUSHALL")
            await self.begin()
            walk = Walk(self, seed)
            for number in range(STEPS):
                await walk.step()
                places = await self.places()
                expected = Counter(f"entry {index}\n".encode() for index in range(walk.pushed))
                self.assertEqual(places - expected, Counter(), f"seed {seed}, step {number}")
                self.assertEqual(expected - places, Counter(), f"seed {seed}, step {number}")
                await self.assert_sums_are_right()
