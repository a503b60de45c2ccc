"""The Sphinx directive ``reasons-table``: tables of all reasons, made from the code.

    .. reasons-table:: reasons
       :language: en
       :columns: reason meaning advice

The argument is ``reasons`` or ``lines``; the columns are ``label``, ``reason`` (the word for
programs), ``meaning`` and ``advice``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ctidialer.rules import line_reasons, reasons, words
from ctidialer.rules.words import Language, Words

HEADS: dict[Language, dict[str, str]] = {
    "en": {"label": "Shown", "reason": "Reason", "meaning": "Meaning", "advice": "What to do"},
    "zh": {"label": "显示", "reason": "原因", "meaning": "含义", "advice": "怎么做"},
}
WIDTHS = {"label": 20, "reason": 22, "meaning": 43, "advice": 35}


def tables() -> dict[str, dict[str, Words]]:
    """Return all words of each table."""
    return {
        "reasons": {reason.value: reason.words for reason in reasons.Reason},
        "lines": line_reasons.LINE_WORDS,
    }


def rows(name: str, language: Language, columns: Sequence[str]) -> list[str]:
    """Return a table as reStructuredText."""
    heads = HEADS[language]
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        f"   :widths: {' '.join(str(WIDTHS[column]) for column in columns)}",
        "",
        *_row([heads[column] for column in columns]),
    ]
    for value, of in tables()[name].items():
        lines += _row([cell(value, of, column, language) for column in columns])
    return lines


def cell(value: str, of: Words, column: str, language: Language) -> str:
    """Return what stands in one column of a word."""
    if column == "reason":
        return f"``{value}``"
    said = {"label": of.label, "meaning": of.meaning, "advice": of.advice}[column]
    return said.in_(language)


def _row(cells: Sequence[str]) -> Iterator[str]:
    for index, text in enumerate(cells):
        yield f"   {'* -' if not index else '  -'} {text}".rstrip()


class ReasonsTable(SphinxDirective):
    """Puts the table where it stands."""

    required_arguments: ClassVar[int] = 1
    option_spec: ClassVar = {
        "language": lambda text: directives.choice(text, words.LANGUAGES),
        "columns": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Make the table."""
        for module in (line_reasons, reasons, words):
            self.env.note_dependency(str(module.__file__))
        columns = self.options["columns"].split()
        lines = rows(self.arguments[0], self.options.get("language", "en"), columns)
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, source="reasons"), self.content_offset, parent)
        made: list[nodes.Node] = parent.children
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("reasons-table", ReasonsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
