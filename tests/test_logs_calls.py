"""Every call of the log, read from the code: a constant format, and fields under their names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from string import Formatter

from twisted.trial.unittest import SynchronousTestCase

from tests.test_architecture import modules

LEVELS = {"debug", "info", "warn", "error", "critical", "failure", "failuresHandled"}
LOGS = {"log", "_log"}

# One name for one thing, so that it can be searched for.
WRONG_NAMES = {
    "uuid": "call_uuid",
    "call": "call_uuid",
    "call_id": "call_uuid",
    "task_name": "task",
    "line_name": "line",
    "group": "line_group",
    "password": "nothing: it is a secret",
    "token": "nothing: it is a secret",
    "url": "address: a URL may hold a password",
}


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield where each call of a log stands, and the call."""
    for name, path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and is_log_call(node.func):
                yield f"{name}:{node.lineno}", node


def is_log_call(function: ast.expr) -> bool:
    """Say whether ``function`` is ``log.info`` or ``self._log.warn`` and the like."""
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS:
        return False
    value = function.value
    name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
    return name in LOGS


def faults(call: ast.Call) -> Iterator[str]:
    """Yield what is wrong with one call."""
    first = call.args[0] if call.args else None
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        yield "the format is no constant text"
        return
    wanted = {name for _, name, _, _ in Formatter().parse(first.value) if name is not None}
    given = {one.arg for one in call.keywords if one.arg is not None}
    if not all(name.isidentifier() for name in wanted):
        yield f"a place of {first.value!r} is no plain name"
    if missing := wanted - given:
        yield f"{sorted(missing)} is named and not given"
    yield from (f"say {WRONG_NAMES[one]} for {one}" for one in sorted(given & set(WRONG_NAMES)))


class CallTests(SynchronousTestCase):
    def test_every_call_is_as_it_should_be(self) -> None:
        found = [f"{place}: {why}" for place, call in log_calls() for why in faults(call)]
        self.assertEqual(found, [])

    def test_there_are_calls(self) -> None:
        self.assertGreater(len(list(log_calls())), 40)

    def fault(self, source: str) -> str:
        (node,) = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
        assert is_log_call(node.func)
        return "; ".join(faults(node))

    def test_what_is_found(self) -> None:
        self.assertIn("no constant", self.fault("self.log.info(f'Line {line}')"))
        self.assertIn("no constant", self.fault("log.warn('Line ' + line)"))
        self.assertIn("no constant", self.fault("self._log.error(text, line=1)"))
        self.assertIn("not given", self.fault("log.info('Line {line}')"))
        self.assertIn("say call_uuid", self.fault("log.info('Call {uuid}', uuid=1)"))
        self.assertIn("no plain name", self.fault("log.info('{a.b}', a=1)"))
        self.assertEqual(self.fault("log.info('Line {line}', line=1, task=2)"), "")

    def test_whatever_names_a_call_a_line_or_a_task_has_the_field(self) -> None:
        spoken = {"Call {": "call_uuid", "call {": "call_uuid", "Line {": "line", "task {": "task"}
        for place, call in log_calls():
            first = call.args[0]
            assert isinstance(first, ast.Constant)
            given = {one.arg for one in call.keywords}
            for words, field in spoken.items():
                if words in str(first.value):
                    self.assertIn(field, given, f"{place}: {first.value!r}")
