"""The short form of ``make fuzz``: what broke something once, and a few thousand inputs a target.

And the fuzzer itself: planted faults of each kind are found, kept and replayed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Hashable
from pathlib import Path
from time import process_time
from typing import Any

from attrs import evolve
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.number import NumberEntry
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.record import Record
from ctidialer.contract.record_document import encode_record
from ctidialer.esl.connection import Connection, Received
from ctidialer.rules.originate import Call, originate_command
from fuzz import calls, number_reference
from fuzz.__main__ import TARGETS, load
from fuzz.cases import Case, all_cases, read_case, write_case
from fuzz.meter import Broken, Meter
from fuzz.seeded import run_seeded
from fuzz.session import Session
from fuzz.target import Target
from fuzz.targets import esl, numbers, records, tasks

ROOT = Path(__file__).resolve().parent.parent
SEED = 1
COUNTS = {"esl": 1000, "numbers": 1500, "tasks": 700, "records": 4000}


class FuzzCase(SynchronousTestCase):
    """A test that runs a target for a short while."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.said: list[str] = []

    def run_target(self, target: Target, count: int, seed: int = SEED) -> Session:
        session = Session(target, self.folder, self.said.append)
        run_seeded(session, count=count, seed=seed)
        return session


class ShortTests(FuzzCase):
    """Every property, on a few inputs."""

    def test_what_broke_something_once(self) -> None:
        cases = all_cases()
        self.assertNotEqual(cases, [])
        for case in cases:
            load(case.target).examine(case.data, Meter())

    def run_short(self, name: str) -> None:
        session = self.run_target(load(name), COUNTS[name])
        self.assertEqual(list(session.failures), [])
        self.assertEqual(session.inputs, COUNTS[name])

    def test_the_event_socket(self) -> None:
        self.run_short("esl")

    def test_numbers(self) -> None:
        self.run_short("numbers")

    def test_tasks(self) -> None:
        self.run_short("tasks")

    def test_records(self) -> None:
        self.run_short("records")

    def test_every_target_is_run_here(self) -> None:
        self.assertEqual(set(COUNTS), set(TARGETS))


class PlantedFaultTests(FuzzCase):
    """A fuzzer that finds nothing must be one that would have found something."""

    def planted(self, target: Target, count: int = 500) -> str:
        session = self.run_target(target, count)
        return "; ".join(session.failures)

    def test_pieces_that_matter(self) -> None:
        class Forgetful(Connection):
            def receive(self, data: bytes) -> list[Received]:
                return super().receive(data)[:3]

        self.patch(esl, "Connection", Forgetful)
        self.assertIn("any pieces give the same", self.planted(esl.TARGET))

    def test_an_exception_of_another_family(self) -> None:
        def careless(raw: bytes) -> object:
            return raw.decode()

        self.patch(esl, "json_event", careless)
        self.assertIn("UnicodeDecodeError in", self.planted(esl.TARGET))

    def test_a_number_that_is_not_as_it_was_written(self) -> None:
        def without_plus(raw: bytes, pattern: Any) -> NumberEntry:
            entry = decode_number(raw, pattern)
            return evolve(entry, number=entry.number.lstrip("+"))

        self.patch(numbers, "decode_number", without_plus)
        self.assertIn("an entry is read as it is written", self.planted(numbers.TARGET))

    def test_a_value_that_is_not_quoted(self) -> None:
        def unquoted(call: Call) -> str:
            return originate_command(call).replace("\\\\,", ",")

        self.patch(calls, "originate_command", unquoted)
        self.assertIn("the variables arrive as meant", self.planted(numbers.TARGET))
        self.assertIn("the variables arrive as meant", self.planted(tasks.TARGET))

    def test_a_line_end_in_a_command(self) -> None:
        def broken(call: Call) -> str:
            return originate_command(call).replace("\\\\\\\\n", "\n")

        self.patch(calls, "originate_command", broken)
        self.assertIn("one command", self.planted(numbers.TARGET))

    def test_a_record_that_loses_something(self) -> None:
        def shorter(record: Record) -> bytes:
            return encode_record(replace(record, attempts=record.attempts[:1]))

        self.patch(records, "encode_record", shorter)
        self.assertIn("a record is read as it was written", self.planted(records.TARGET))

    def test_the_reference_refuses_what_is_none(self) -> None:
        for raw in (b"", b"a", b'{"params":{}}', b'{"params":{"number":1.5}}', b"\xff", b'"a"'):
            found = number_reference.read_entry(raw, numbers.USUAL)
            self.assertEqual(found, number_reference.REFUSED, raw)

    def test_the_reference_takes_what_is_one(self) -> None:
        for raw in (b"138", b'"138"', b'{"params":{"number":1.38e2}}', "\ufeff１３８".encode()):
            found = number_reference.read_entry(raw, numbers.USUAL)
            self.assertEqual(found, ("138", {}), raw)


class MeterTests(SynchronousTestCase):
    """What costs too much is said, and only that."""

    def test_time(self) -> None:
        def slow() -> None:
            end = process_time() + 0.06
            while process_time() < end:
                pass

        with self.assertRaisesRegex(Broken, "bounded time of slow: it took"):
            Meter().run("slow", 10, slow)
        Meter().run("slow", 1_000_000, slow)

    def test_time_that_is_not_needed_again_is_not_held_against_it(self) -> None:
        ends = [process_time() + 0.06]

        def slow_once() -> None:
            while ends and process_time() < ends[0]:
                pass
            ends.clear()

        Meter().run("once", 10, slow_once)

    def test_memory(self) -> None:
        def large() -> int:
            return len(b"x" * 30_000_000)

        with self.assertRaisesRegex(Broken, "bounded memory of large: it used 30"):
            Meter(counted_every=1).run("large", 10, large)
        Meter(counted_every=1).run("large", 100_000, large)

    def test_what_the_work_raises_comes_out(self) -> None:
        nothing: dict[str, str] = {}
        with self.assertRaises(KeyError):
            Meter().run("missing", 10, lambda: nothing["a"])


class SessionTests(FuzzCase):
    """Inputs are made again from the seed, and failures kept once."""

    def target(self, seen: list[bytes]) -> Target:
        def examine(data: bytes, meter: Meter) -> Hashable:
            seen.append(data)
            if b"7" in data:
                raise KeyError(len(seen))
            return len(data) % 5

        return evolve(numbers.TARGET, examine=examine)

    def test_the_same_seed_makes_the_same_inputs(self) -> None:
        one: list[bytes] = []
        other: list[bytes] = []
        different: list[bytes] = []
        self.run_target(self.target(one), 1000, seed=5)
        self.run_target(self.target(other), 1000, seed=5)
        self.run_target(self.target(different), 1000, seed=6)
        self.assertEqual(one, other)
        self.assertNotEqual(one, different)

    def test_a_failure_is_kept_once_and_found_again(self) -> None:
        seen: list[bytes] = []
        session = self.run_target(self.target(seen), 1000)
        self.assertEqual([path.name for path in self.folder.iterdir()], [self.kept(session).name])
        case = read_case(self.kept(session))
        self.assertEqual((case.target, case.data), ("numbers", next(d for d in seen if b"7" in d)))
        self.assertIn("KeyError in", case.problem)
        self.assertIn(str(self.kept(session)), "".join(self.said))
        self.assertEqual(session.inputs, 1000)

    def kept(self, session: Session) -> Path:
        (path,) = session.failures.values()
        return path

    def test_a_case_is_written_and_read(self) -> None:
        case = Case("esl", "bounded time of é", bytes(range(256)))
        self.assertEqual(read_case(write_case(case, self.folder)), case)


class CommandTests(SynchronousTestCase):
    """``python -m fuzz``."""

    def run_command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fuzz", "--cases", self.mktemp(), *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    def test_a_run_says_how_to_repeat_it(self) -> None:
        done = self.run_command("records", "--count", "50", "--seed", "9", "--by", "seed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("again: --seed 9", done.stdout)
        self.assertIn("records: 50 inputs", done.stdout)

    def test_an_unknown_target(self) -> None:
        done = self.run_command("nothing")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no target: nothing", done.stderr)
