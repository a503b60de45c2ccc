"""The page on the log shows what the code says."""

from __future__ import annotations

import ast
import json
import re

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.logs import OWN_KEYS
from ctidialer.settings import Log
from tests.test_architecture import modules
from tests.test_documents import DOCS
from tests.test_logs_calls import log_calls

PAGE = DOCS / "logs.rst"


def first_cells_of(heading: str) -> list[str]:
    """Return what the first column of the table below a text names."""
    text = PAGE.read_text("utf-8").partition(heading)[2].partition(".. list-table::")[2]
    table = re.split(r"\n(?=\S)", text)[0]
    cells = re.findall(r"(?m)^   \* - (.*)$", table)
    return [name for cell in cells for name in re.findall(r"``([^`]+)``", cell)]


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

    def test_each_line_of_the_evening_is_one_that_the_code_writes(self) -> None:
        text = PAGE.read_text("utf-8").partition("An evening, read from the log alone")[2]
        lines = re.findall(r"(?m)^    \S+Z \[(?:info|warn)\] (.*)$", text)
        self.assertGreater(len(lines), 6)
        texts = [one for one in constants().splitlines() if re.search("[A-Za-z]{4}.* ", one)]
        whole = [re.compile(re.escape(one).replace("…", ".*")) for one in texts]
        for line in lines:
            self.assertTrue(any(one.match(line) for one in whole), line)
