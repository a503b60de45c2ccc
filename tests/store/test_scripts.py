"""The head of every Lua script names what it is given, and what it returns; no line is too long."""

from __future__ import annotations

import re
from importlib.resources import files

from twisted.trial.unittest import SynchronousTestCase

MAX_COLUMNS = 100  # as in the Python code

# What stands before others:
SHARED = tuple(
    f"{name}.lua" for name in ("shared", "waiting", "recording", "noting", "counting", "leaving")
)


class HeadTests(SynchronousTestCase):
    def test_every_script(self) -> None:
        scripts = [
            one for one in files("ctidialer.store.lua").iterdir() if one.name.endswith(".lua")
        ]
        self.assertGreater(len(scripts), 8)
        for script in scripts:
            if script.name not in SHARED:
                self.check(script.name, script.read_text("utf-8"))

    def check(self, name: str, text: str) -> None:
        lines = text.splitlines()
        length = next(at for at, line in enumerate(lines) if not line.startswith("--"))
        head, body = "\n".join(lines[:length]), "\n".join(lines[length:])
        self.assertRegex(lines[0], r"^-- [A-Z][a-z]+,? ", name)
        self.assertIn("-- Returns   ", head, name)
        for used in set(re.findall(r"((?:KEYS|ARGV)\[[0-9]+)\]", body)):
            self.assertRegex(head, rf"(?m)^-- {re.escape(used)}…?\]  ", (name, used))

    def test_the_order_is_the_same_in_all(self) -> None:
        for script in files("ctidialer.store.lua").iterdir():
            if not script.name.endswith(".lua") or script.name in SHARED:
                continue
            text = script.read_text("utf-8")
            found = re.findall(r"(?m)^-- (KEYS|ARGV|Returns)", text)
            self.assertEqual(found, sorted(found, key=["KEYS", "ARGV", "Returns"].index))


class ColumnTests(SynchronousTestCase):
    def test_no_line_is_too_long(self) -> None:
        too_long = [
            f"{script.name}:{at}"
            for script in files("ctidialer.store.lua").iterdir()
            if script.name.endswith(".lua")
            for at, line in enumerate(script.read_text("utf-8").splitlines(), 1)
            if len(line) > MAX_COLUMNS
        ]
        self.assertEqual(too_long, [])
