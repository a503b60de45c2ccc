"""The group of commands: each is imported when it is asked for, and only then."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.cli.main import COMMANDS, main

SAY_WHAT_IS_IMPORTED = """
import sys
from click.testing import CliRunner
from ctidialer.cli import main
result = CliRunner().invoke(main, sys.argv[1:])
assert result.exit_code == 0, result.output
print(*sys.modules)
"""


class CommandsOnDemandTests(SynchronousTestCase):
    def imported_by(self, *words: str) -> set[str]:
        program = [sys.executable, "-c", SAY_WHAT_IS_IMPORTED, *words]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    def test_a_command_does_not_wait_for_the_others(self) -> None:
        imported = self.imported_by("token", "--help")
        self.assertIn("ctidialer.cli.token", imported)
        self.assertNotIn("ctidialer.cli.status", imported)
        self.assertNotIn("twisted.internet.reactor", imported)

    def test_each_name_of_the_table_is_the_command_of_that_name(self) -> None:
        context = main.make_context("ctidialer", ["status"], resilient_parsing=True)
        for name in COMMANDS:
            command = main.get_command(context, name)
            assert command is not None
            self.assertEqual(command.name, name)
