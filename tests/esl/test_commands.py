"""Commands: exact bytes, and nothing that could become a second command."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl import commands
from ctidialer.esl.errors import UnsafeCommand

BUILDERS: dict[str, Callable[[str], bytes]] = {
    "api": commands.api,
    "bgapi": commands.bgapi,
    "bgapi job": lambda bad: commands.bgapi("version", bad),
    "api_bgapi": lambda bad: commands.api_bgapi(bad, "job"),
    "api_bgapi job": lambda bad: commands.api_bgapi("version", bad),
    "event": commands.event,
    "event names": lambda bad: commands.event(["A", bad]),
    "event form": lambda bad: commands.event("A", bad),
    "nixevent": commands.nixevent,
    "filter": lambda bad: commands.filter("Unique-ID", bad),
    "filter header": lambda bad: commands.filter(bad, "x"),
    "filter both": commands.filter,
    "filter_delete": lambda bad: commands.filter_delete("Unique-ID", bad),
    "filter_delete header": commands.filter_delete,
    "auth": commands.auth,
    "userauth": lambda bad: commands.userauth(bad, "secret"),
    "userauth password": lambda bad: commands.userauth("a@b", bad),
    "myevents": commands.myevents,
    "linger": lambda bad: commands.linger(bad),  # type: ignore[arg-type]  # a careless caller
    "log": commands.log,
    "sendevent": commands.sendevent,
    "sendevent name": lambda bad: commands.sendevent("CUSTOM", {bad: "x"}),
    "sendevent value": lambda bad: commands.sendevent("CUSTOM", {"x": bad}),
    "sendmsg": lambda bad: commands.sendmsg(bad, {}),
    "sendmsg value": lambda bad: commands.sendmsg("u1", {"x": bad}),
    "execute": lambda bad: commands.execute("u1", bad),
    "execute argument": lambda bad: commands.execute("u1", "set", bad),
}


class Bytes(SynchronousTestCase):
    def test_as_freeswitch_reads_them(self) -> None:
        cases = {
            b"api status\n\n": commands.api("status"),
            b"bgapi originate x y\n\n": commands.bgapi(" originate x y"),
            b"bgapi version\nJob-UUID: j1\n\n": commands.bgapi("version", "j1"),
            b"api bgapi uuid:j1 version\n\n": commands.api_bgapi("version", "j1"),
            b"event plain A B\n\n": commands.event(["A", "B"]),
            b"event json A CUSTOM b::c\n\n": commands.event("A CUSTOM b::c", "json"),
            b"nixevent A\n\n": commands.nixevent("A"),
            b"noevents\n\n": commands.noevents(),
            b"filter Event-Name A\n\n": commands.filter("Event-Name", "A"),
            b"filter Event-Name B\n\n": commands.filter("Event-Name B"),
            b"filter Event-Name - C\n\n": commands.filter("Event-Name", "- C"),
            b"filter delete Event-Name A\n\n": commands.filter_delete("Event-Name", "A"),
            b"filter delete all\n\n": commands.filter_delete("all"),
            b"auth ClueCon\n\n": commands.auth("ClueCon"),
            b"userauth a@b:c:d\n\n": commands.userauth("a@b", "c:d"),
            b"myevents u1 plain\n\n": commands.myevents("u1"),
            b"divert_events on\n\n": commands.divert_events(),
            b"linger\n\n": commands.linger(),
            b"linger 5\n\n": commands.linger(5),
            b"nolinger\n\n": commands.nolinger(),
            b"log 7\n\n": commands.log(7),
            b"nolog\n\n": commands.nolog(),
            b"exit\n\n": commands.exit(),
            b"api echo \xe6\x97\xa5\n\n": commands.api("echo 日"),
        }
        for expected, built in cases.items():
            self.assertEqual(built, expected)

    def test_a_body_is_counted_in_bytes_and_may_have_lines(self) -> None:
        self.assertEqual(
            commands.sendevent("CUSTOM", {"Event-Subclass": "t::x"}, "日\n\nx"),
            b"sendevent CUSTOM\nEvent-Subclass: t::x\nContent-Length: 6\n\n\xe6\x97\xa5\n\nx",
        )

    def test_execute(self) -> None:
        self.assertEqual(
            commands.execute("u1", "playback", "a b.wav", lock=True),
            b"sendmsg u1\ncall-command: execute\nexecute-app-name: playback\n"
            b"execute-app-arg: a b.wav\nevent-lock: true\n\n",
        )

    def test_the_verb_is_all_that_a_log_may_show(self) -> None:
        self.assertEqual(commands.verb(commands.auth("secret")), "auth")
        self.assertEqual(commands.verb(commands.filter_delete("all")), "filter")


class Unsafe(SynchronousTestCase):
    def test_every_argument_of_every_builder(self) -> None:
        for name, build in BUILDERS.items():
            for bad in ("x\n\napi fsctl shutdown now", "x\r", "\nx", "x\0y", "\n", "x\udcff"):
                with self.assertRaises(UnsafeCommand, msg=f"{name} {bad!r}") as caught:
                    build(bad)
                self.assertIsInstance(caught.exception, ValueError)

    def test_what_must_be_one_word(self) -> None:
        for build in (
            lambda: commands.api_bgapi("version", "a b"),
            lambda: commands.myevents("u 1"),
            lambda: commands.filter("Unique-ID x", "y"),
            lambda: commands.userauth("a b", "c"),
            lambda: commands.userauth("a:b", "c"),
            lambda: commands.sendevent("CUSTOM", {"a: b": "c"}),
        ):
            self.assertRaises(UnsafeCommand, build)

    def test_what_must_not_be_empty(self) -> None:
        for build in (
            lambda: commands.api(" "),
            lambda: commands.bgapi("version", ""),
            lambda: commands.event([]),
            lambda: commands.filter("Unique-ID"),
        ):
            self.assertRaises(UnsafeCommand, build)

    def test_a_command_that_freeswitch_would_cut(self) -> None:
        commands.api("x" * 9_000_000)
        self.assertRaises(UnsafeCommand, commands.api, "x" * 10_000_000)

    def test_no_secret_in_the_error(self) -> None:
        for build in (commands.auth, lambda bad: commands.userauth("a@b", bad)):
            for bad in ("s3cret\n", "s3cret\udcff"):
                with self.assertRaises(UnsafeCommand) as caught:
                    build(bad)
                self.assertNotIn("s3cret", str(caught.exception) + repr(caught.exception))

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(sorted(BUILDERS)), st.text(max_size=40))
    def test_one_command_or_none(self, name: str, text: str) -> None:
        try:
            built = BUILDERS[name](text)
        except UnsafeCommand:
            return
        self.assertEqual(built.count(b"\n\n"), 1)
        self.assertTrue(built.endswith(b"\n\n"))
        self.assertNotIn(b"\r", built)
        self.assertNotIn(b"\0", built)
