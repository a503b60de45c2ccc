"""The page on the log shows what the code says."""

from __future__ import annotations

import ast
import json
import re
from functools import cache

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.logs import OWN_KEYS
from ctidialer.settings import Log
from tests.docs.test_documents import DOCS
from tests.test_architecture import modules
from tests.test_logs_calls import log_calls

PAGE = DOCS / "logs.rst"


def first_cells_of(heading: str) -> list[str]:
    """Return what the first column of the table below a text names."""
    text = PAGE.read_text("utf-8").partition(heading)[2].partition(".. list-table::")[2]
    table = re.split(r"\n(?=\S)", text)[0]
    cells = re.findall(r"(?m)^   \* - (.*)$", table)
    return [name for cell in cells for name in re.findall(r"``([^`]+)``", cell)]


@cache
def constants() -> str:
    """Return every text of the code that stands there as such, with its places left open."""
    texts = []
    for _, path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "…" for p in node.values]
                texts.append("".join(str(part) for part in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(re.sub(r"\{[^{}]*\}", "…", node.value))
    return "\n".join(texts)


WHOSE = re.compile(r"^(?:cti_\S+ \S+?:? (?:\$\S*: )?|Task \S+ )")
"""The document, or the task, of which a line says something."""

MIN_LETTERS = 10
"""Letters that a whole line has as such in the code; what is said of a task or document may be
shorter (``is open``)."""


@cache
def written() -> list[tuple[int, re.Pattern[str]]]:
    """Return for each text of the code that may begin a line how many letters it has, and its
    pattern."""
    texts = [(len(re.findall("[A-Za-z]", one)), one) for one in constants().splitlines()]
    return [
        (letters, re.compile(re.escape(one).replace("…", ".*")))
        for letters, one in texts
        if letters > 5 and " " in one.strip("… ")
    ]


def is_written(line: str) -> bool:
    """Say whether the code writes a line, or a part of one."""
    said = WHOSE.sub("", line)
    return any(
        (letters >= MIN_LETTERS and pattern.match(line)) or (said != line and pattern.match(said))
        for letters, pattern in written()
    )


class PageTests(SynchronousTestCase):
    def test_every_text_that_is_shown_is_said(self) -> None:
        said = constants()
        shown = [one for one in first_cells_of("What an operator sees") if "<" not in one]
        self.assertGreater(len(shown), 12)
        for text in shown:
            for part in filter(None, (piece.strip(" :;") for piece in text.split("…"))):
                self.assertIn(part, said, text)

    def test_the_fields_are_those_of_the_code(self) -> None:
        given = {one.arg for _, call in log_calls() for one in call.keywords}
        given |= {"task", "config", "line", "line_group"}  # of a fault in a table, by the table
        named = set(first_cells_of("All other keys are"))
        self.assertEqual(named - given, set())

    def test_the_example_is_a_line(self) -> None:
        (example,) = re.findall(r"(?m)^    (\{.*\})$", PAGE.read_text("utf-8"))
        document = json.loads(example)
        self.assertEqual(tuple(document)[:4], OWN_KEYS[:4])

    def test_every_setting_is_named_with_its_default(self) -> None:
        text = PAGE.read_text("utf-8")
        for one in msgspec.structs.fields(Log):
            self.assertIn(f"* - ``log.{one.name}``\n     - ``{one.default}``", text)

    def test_not_every_text_is_a_line_of_the_log(self) -> None:
        for text in ("Task spring was eaten", "cti_line@fs1 carrier-b went away", "Line a is well"):
            self.assertFalse(is_written(text), text)

    def test_each_answer_is_a_line_that_the_code_writes(self) -> None:
        text = PAGE.read_text("utf-8").partition("What the log answers\n")[2]
        table = re.split(r"\n(?=\S)", text.partition(".. list-table::")[2])[0]
        rows = re.findall(r"(?m)^     - (.*(?:\n       .*)*)", table)[1:]
        answers = [re.findall(r"``([^`]+)``", re.sub(r"\s+", " ", row)) for row in rows]
        self.assertEqual(len(answers), 10)
        for lines in answers:
            self.assertTrue(lines)
            for line in lines:
                part = line.strip("… ")
                self.assertTrue(part in constants() or is_written(part), line)

    def test_each_line_of_the_evening_is_one_that_the_code_writes(self) -> None:
        text = PAGE.read_text("utf-8").partition("An evening, read from the log alone")[2]
        lines = re.findall(r"(?m)^    \S+Z \[(?:info|warn)\] (.*)$", text)
        self.assertGreater(len(lines), 6)
        for line in lines:
            self.assertTrue(is_written(line), line)
