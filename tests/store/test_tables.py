"""Tables read in one atomic step, whole or by fields, whatever stands in their place."""

from __future__ import annotations

from ctidialer.store.errors import StoreUnavailable
from ctidialer.store.link import Link
from ctidialer.store.tables import TableReader, Unreadable, Whole
from tests.support.redis import RedisTestCase, link_to


class TableReaderTests(RedisTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.reader = TableReader(self.redis)

    async def whole(self, *keys: str, reader: TableReader | None = None) -> dict[str, object]:
        found = await (reader or self.reader).whole(keys)
        return {key: self.plain(answer) for key, answer in found.items()}

    def plain(self, answer: Whole | Unreadable) -> object:
        return answer.problem if isinstance(answer, Unreadable) else dict(answer)

    async def as_user(self, name: str, *rights: str) -> Link:
        await self.call("ACL", "SETUSER", name, "on", ">pw", *rights)
        self.addCleanup(self.call, "ACL", "DELUSER", name)
        link = link_to(self, self.url.replace("unix://", f"unix://{name}:pw@"))
        await link.when_up(60)
        return link

    async def test_whole_tables(self) -> None:
        await self.call("HSET", "a", "f", "1", "0755", b"\xff\0", b"\xe9", "x")
        found = await self.whole("a", "none")
        self.assertEqual(found, {"a": {"f": b"1", "0755": b"\xff\0", "\\xe9": b"x"}, "none": {}})

    async def test_values_that_look_like_answers(self) -> None:
        await self.call("HSET", "a", "QUEUED", "QUEUED", "EXEC", "-ERR")
        found = await self.whole("a")
        self.assertEqual(found, {"a": {"QUEUED": b"QUEUED", "EXEC": b"-ERR"}})

    async def test_a_key_of_another_type_hides_no_other(self) -> None:
        await self.call("HSET", "a", "f", "1")
        await self.call("SET", "b", "x")
        found = await self.whole("b", "a")
        self.assertEqual(found["b"], "the key 'b' holds a string, but must hold a hash")
        self.assertEqual(found["a"], {"f": b"1"})

    async def test_without_the_right_to_multi(self) -> None:
        user = await self.as_user("single", "~*", "+@all", "-multi", "-exec")
        await self.call("HSET", "a", "f", "1")
        await self.call("SET", "b", "x")
        found = await self.whole("a", "b", reader=TableReader(user))
        self.assertEqual(found["a"], {"f": b"1"})
        self.assertEqual(found["b"], "the key 'b' holds a string, but must hold a hash")
        self.assertEqual(await user.call("PING"), b"PONG")

    async def test_without_the_right_to_one_key(self) -> None:
        user = await self.as_user("partial", "~a*", "+@all")
        await self.call("HSET", "a", "f", "1")
        found = await self.whole("a", "b", reader=TableReader(user))
        self.assertEqual(found["a"], {"f": b"1"})
        self.assertTrue(str(found["b"]).startswith("the key 'b' cannot be read: "), found)
        (fields,) = (await TableReader(user).fields({"b": ["f"]})).values()
        assert isinstance(fields, Unreadable)
        self.assertTrue(fields.problem.startswith("the key 'b' cannot be read: "), fields)

    async def fields(self, wanted: dict[str, list[str]]) -> dict[str, object]:
        found = await self.reader.fields(wanted)
        return {
            key: answer.problem if isinstance(answer, Unreadable) else dict(answer)
            for key, answer in found.items()
        }

    async def test_fields(self) -> None:
        await self.call("HSET", "a", "f", "1", "ü", "2")
        await self.call("SET", "b", "x")
        wanted = {"a": ["f", "ü", "no"], "b": ["f"], "none": ["f"], "c": []}
        problem = "the key 'b' holds a string, but must hold a hash"
        self.assertEqual(
            await self.fields(wanted),
            {"a": {"f": b"1", "ü": b"2", "no": None}, "b": problem, "none": {"f": None}},
        )
        self.assertEqual(await self.fields({}), {})

    async def test_very_many_fields(self) -> None:
        names = [f"n{index}" for index in range(30_000)]
        await self.call("HSET", "a", "n0", "first", "n29999", "last")
        found = (await self.fields({"a": names}))["a"]
        assert isinstance(found, dict)
        self.assertEqual({name for name, value in found.items() if value}, {"n0", "n29999"})
        self.assertEqual((found["n0"], found["n29999"]), (b"first", b"last"))

    async def test_redis_is_away(self) -> None:
        await self.redis.stop()
        for reading in (self.whole("a"), self.reader.fields({"a": ["f"]})):
            with self.assertRaises(StoreUnavailable):
                await reading
