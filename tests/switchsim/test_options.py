"""Options of ``python -m ctidialer.switchsim`` that cannot be used."""

from __future__ import annotations

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.switchsim.__main__ import main


class OptionTests(SynchronousTestCase):
    def test_what_cannot_be_used_is_said_by_its_name(self) -> None:
        for option, value in (
            ("--listen", "127.0.0.1:99999"),
            ("--listen", "8021"),
            ("--agents", "-1"),
            ("--wrap-up", "-1"),
            ("--handle-time", "soon"),
            ("--handle-time", "[3]"),
            ("--agent-ring", "x"),
        ):
            done = CliRunner().invoke(main, [option, value])
            self.assertIn(done.exit_code, (1, 2), done)
            self.assertNotIsInstance(done.exception, ValueError | OverflowError)
            self.assertIn(option, done.output)
