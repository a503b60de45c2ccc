"""The lines of the log: text, JSON, secrets, files."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure
from twisted.python.log import LogPublisher as LegacyPublisher
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.logs import (
    HIDDEN,
    MAX_PENDING_BYTES,
    OWN_KEYS,
    LogFile,
    Redactor,
    json_line,
    line_observer,
    text_line,
)

SECRET = "s3cr3t/ü @"
NOTHING = Redactor.of(())


class Lines:
    """Takes what an observer writes."""

    def __init__(self, form: str = "json", level: str = "info", *secrets: str) -> None:
        self.lines: list[str] = []
        self.levels: list[str] = []
        observer = line_observer(form, level, secrets, self._write)
        self.publisher = LogPublisher(observer)
        self.log = Logger("tests.logs", observer=self.publisher)

    def _write(self, line: str, level: str) -> None:
        self.lines.append(line)
        self.levels.append(level)

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


def fail(message: str) -> None:
    raise ValueError(message)


class JsonTests(SynchronousTestCase):
    def test_the_fields_stand_at_the_top_under_their_names(self) -> None:
        lines = Lines()
        lines.log.warn(
            "Call {call_uuid} of {task}", call_uuid="u1", task="t", line="l", tries=3, rate=0.5
        )
        (document,) = lines.documents()
        self.assertRegex(document.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(
            document,
            {
                "level": "warn",
                "namespace": "tests.logs",
                "message": "Call u1 of t",
                "call_uuid": "u1",
                "task": "t",
                "line": "l",
                "tries": 3,
                "rate": 0.5,
            },
        )

    def test_a_failure_has_its_traceback(self) -> None:
        lines = Lines()
        with lines.log.failuresHandled("Placing {call_uuid} failed", call_uuid="u1"):
            fail("no such thing")
        (document,) = lines.documents()
        self.assertEqual(document["message"], "Placing u1 failed")
        self.assertEqual(document["level"], "critical")
        self.assertIn("ValueError: no such thing", document["traceback"])
        self.assertEqual(len(lines.lines[0].splitlines()), 1)

    def test_an_event_of_the_old_kind(self) -> None:
        lines = Lines()
        legacy = LegacyPublisher(publishPublisher=lines.publisher)
        legacy.msg("old", task="t")
        try:
            fail("broken")
        except ValueError:
            legacy.msg(failure=Failure(), why="Why", isError=1)
        first, second = lines.documents()
        self.assertEqual((first["message"], first["task"]), ("old", "t"))
        self.assertEqual(second["message"], "Why")
        self.assertIn("ValueError: broken", second["traceback"])
        self.assertEqual(set(second), set(OWN_KEYS))

    def test_a_field_cannot_take_the_place_of_a_key(self) -> None:
        fields = {"level": "critical", "time": 0, "traceback": "none", "namespace": "x"}
        document = json.loads(json_line({"log_format": "Said", **fields}, NOTHING))
        self.assertEqual((document["level"], document["level_"]), ("info", "critical"))
        self.assertEqual(document["traceback_"], "none")

    def test_what_json_has_no_word_for(self) -> None:
        lines = Lines()
        lines.log.info("Odd", a=b"\xff", b=1 << 70, c=float("nan"), d="\udc80", e=[1], f=None)
        (document,) = lines.documents()
        self.assertEqual(document["a"], "b'\\xff'")
        self.assertEqual(document["b"], str(1 << 70))
        self.assertIsNone(document["c"])
        self.assertEqual(document["d"], "\\udc80")
        self.assertEqual(document["e"], "[1]")
        self.assertIsNone(document["f"])

    def test_a_value_that_cannot_be_told_does_not_stop_the_log(self) -> None:
        class Mute:
            def __repr__(self) -> str:
                raise RuntimeError("no")

        lines = Lines()
        lines.log.info("Said {what}", what=Mute())
        lines.log.info("After")
        self.assertEqual(len(lines.documents()), 2)

    def test_levels(self) -> None:
        for level, wanted in (("debug", 5), ("info", 4), ("warn", 3), ("critical", 1)):
            lines = Lines("json", level)
            for name in ("debug", "info", "warn", "error", "critical"):
                getattr(lines.log, name)("Said")
            self.assertEqual(len(lines.lines), wanted)
            self.assertEqual([d["level"] for d in lines.documents()], lines.levels)


class TextTests(SynchronousTestCase):
    def said(self, format: str, *, secrets: tuple[str, ...] = (), **fields: object) -> str:
        lines = Lines("text", "info", *secrets)
        lines.log.warn(format, **fields)
        return lines.lines[0].partition("Z ")[2]

    def test_fields_that_the_message_does_not_name_follow_it(self) -> None:
        self.assertEqual(
            self.said("Line {line} is out of use", line="l", task="my task", call_uuid="u"),
            '[warn] Line l is out of use  task="my task" call_uuid=u',
        )
        self.assertEqual(self.said("Nothing more"), "[warn] Nothing more")
        self.assertEqual(self.said("It {x:.1f}s", x=1.25), "[warn] It 1.2s")

    def test_nobody_begins_a_line_of_his_own(self) -> None:
        for hostile in ("a\n2026-01-01T00:00:00.000Z [info] fine", "a\rb", "\x1b[2J", "\u2028x"):
            line = self.said("Task {task}", task=hostile, more=hostile)
            self.assertEqual(len(line.splitlines()), 1, line)
            self.assertTrue(line.isprintable(), line)

    def test_a_traceback_is_indented_below(self) -> None:
        lines = Lines("text")
        with lines.log.failuresHandled("It failed"):
            fail("first\nsecond")
        first, *below = lines.lines[0].splitlines()
        self.assertTrue(first.endswith("[critical] It failed"), first)
        self.assertTrue(below)
        self.assertEqual({line[:4] for line in below}, {"    "})

    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=30), st.text(max_size=30))
    def test_any_text_gives_one_line_in_both_formats(self, one: str, two: str) -> None:
        event = {"log_format": "{one} said", "one": one, "two": two, "log_time": 1.5}
        self.assertEqual(len(text_line(event, NOTHING).splitlines()), 1)
        document = json.loads(json_line(event, NOTHING))
        self.assertEqual(document["two"], two)


class SecretTests(SynchronousTestCase):
    def assert_kept(self, line: str) -> None:
        self.assertIn(HIDDEN, line)
        for form in (SECRET, quote(SECRET, safe=""), json.dumps(SECRET)[1:-1]):
            self.assertNotIn(form, line)

    def test_everywhere_in_a_line(self) -> None:
        for form in ("text", "json"):
            lines = Lines(form, "info", SECRET)
            lines.log.info("With {password}", password=SECRET)
            lines.log.info("Beside", url=f"redis://:{quote(SECRET, safe='')}@h", n=[SECRET])
            lines.log.info("In bytes", sent=f"auth {SECRET}".encode())
            lines.log.info("Constant " + SECRET)
            with lines.log.failuresHandled("Failed"):
                fail(f"-ERR invalid {SECRET!r}")
            self.assertEqual(len(lines.lines), 5)
            for line in lines.lines:
                self.assert_kept(line)

    def test_a_longer_secret_first(self) -> None:
        redact = Redactor.of(["secret", "secret-too"])
        self.assertEqual(redact("secret-too, secret"), f"{HIDDEN}, {HIDDEN}")

    def test_a_letter_is_no_secret_to_hide(self) -> None:
        self.assertEqual(Redactor.of(["a", ""])("banana"), "banana")

    def test_a_redactor_does_not_tell(self) -> None:
        self.assertNotIn("s3cr3t", repr(Redactor.of([SECRET])))

    @settings(max_examples=200, deadline=None)
    @given(st.text(min_size=4, max_size=20), st.text(max_size=10))
    def test_any_secret_in_any_format(self, secret: str, around: str) -> None:
        if secret in HIDDEN + around or not secret.strip("*"):
            return
        redact = Redactor.of([secret])
        event = {"log_format": "{x}", "x": f"{around}|{secret}|{around}", "log_time": 0.0}
        message = json.loads(json_line(event, redact))["x"]
        self.assertEqual(message.count(HIDDEN), 1 + 2 * around.count(HIDDEN))


class FileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.file = LogFile(self.path)
        self.addCleanup(os.close, self.file._descriptor)

    def read(self, path: Path | None = None) -> str:
        return (path or self.path).read_text("utf-8")

    def test_it_is_appended_to(self) -> None:
        self.file.write("one", "info")
        other = LogFile(self.path)
        self.addCleanup(os.close, other._descriptor)
        other.write("two", "info")
        self.file.write("drei\udc80", "info")
        self.assertEqual(self.read(), "one\ntwo\ndrei\\udc80\n")

    def test_others_cannot_read_it(self) -> None:
        self.assertEqual(self.path.stat().st_mode & 0o007, 0)

    def test_moved_away_and_opened_anew(self) -> None:
        moved = self.path.with_suffix(".1")
        self.file.write("one", "info")
        self.path.rename(moved)
        self.file.write("two", "info")
        self.file.reopen()
        self.file.write("three", "info")
        self.assertEqual((self.read(moved), self.read()), ("one\ntwo\n", "three\n"))

    def test_copied_and_emptied(self) -> None:
        self.file.write("one", "info")
        os.truncate(self.path, 0)
        self.file.write("two", "info")
        self.assertEqual(self.read(), "two\n")

    def test_it_cannot_be_opened_anew(self) -> None:
        moved = self.path.with_suffix(".1")
        self.path.rename(moved)
        self.path.mkdir()
        self.file.reopen()
        self.file.write("two", "info")
        complaint, line = self.read(moved).splitlines()
        self.assertIn("cannot be opened anew: Is a directory", complaint)
        self.assertEqual(line, "two")

    def test_it_does_not_leak_files(self) -> None:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            self.file.reopen()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)


class PipeTests(SynchronousTestCase):
    """A pipe whose reader stands still."""

    def setUp(self) -> None:
        path = Path(self.mktemp())
        os.mkfifo(path)
        self.reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.file = LogFile(path)
        self.addCleanup(os.close, self.file._descriptor)

    def fill(self) -> None:
        """Write until nothing fits any more."""
        while not self.file.is_behind:
            self.file.write("x" * 999, "info")

    def read(self) -> bytes:
        """Take all that is in the pipe."""
        pieces = []
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.reader, 1 << 16):
                pieces.append(piece)
        return b"".join(pieces)

    def all_read(self) -> bytes:
        """Take all that was kept, too."""
        pieces = [self.read()]
        while self.file.is_behind:
            self.file.flush()
            pieces.append(self.read())
        return b"".join(pieces)

    def test_nothing_waits_and_what_is_kept_comes_in_order(self) -> None:
        self.addCleanup(os.close, self.reader)
        self.fill()
        for index in range(100):
            self.file.write(f"line {index}", "info")
        self.assertEqual(self.file.take_lost(), 0)
        lines = self.all_read().splitlines()
        self.assertEqual(lines[-100:], [f"line {index}".encode() for index in range(100)])
        self.assertEqual(set(lines[:-100]), {b"x" * 999})
        self.assertEqual(self.file.take_lost(), 0)

    def test_what_is_too_much_is_counted(self) -> None:
        self.addCleanup(os.close, self.reader)
        self.fill()
        written = 2 * MAX_PENDING_BYTES // 1000
        for index in range(written):
            self.file.write(f"{index:0>999}", "info")
        self.assertEqual(self.file.take_lost(), 0, "as long as it is behind")
        kept = [line for line in self.all_read().splitlines() if line != b"x" * 999]
        lost = self.file.take_lost()
        self.assertEqual(len(kept) + lost, written)
        self.assertGreater(lost, written // 3)
        self.assertEqual([int(line) for line in kept], list(range(len(kept))))
        self.assertEqual(self.file.take_lost(), 0)

    def test_a_line_larger_than_all_room_arrives_whole(self) -> None:
        self.addCleanup(os.close, self.reader)
        self.file.write("y" * (2 * MAX_PENDING_BYTES), "info")
        self.assertEqual(self.all_read(), b"y" * (2 * MAX_PENDING_BYTES) + b"\n")

    def test_a_reader_that_has_gone(self) -> None:
        self.fill()
        os.close(self.reader)
        self.file.write("nobody reads this", "info")
        self.assertFalse(self.file.is_behind)
        self.assertGreater(self.file.take_lost(), 0)
