"""The code that a page of the documentation shows: its blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent.parent
DIRECTIVE = re.compile(r"^(\s*)\.\. code-block::\s*(\S*)")
PARAGRAPH = re.compile(r"^(\s*).*::$")


@frozen
class Block:
    """One block: where it stands, its language (empty = not said) and its text, dedented."""

    page: str
    line: int
    language: str
    text: str

    @property
    def is_shell(self) -> bool:
        """Whether it holds lines to be typed."""
        return self.language in ("", "shell", "sh", "console")


def blocks(path: Path) -> list[Block]:
    """Return all code blocks of a page, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = []
    for index, line in enumerate(lines):
        opened = _opened(line)
        if opened is not None:
            text = dedent("\n".join(_indented(lines[index + 1 :], opened[0]))).strip("\n")
            name = path.relative_to(ROOT).as_posix()
            found.append(Block(name, index + 1, opened[1], text))
    return found


def _opened(line: str) -> tuple[int, str] | None:
    """Return the indentation and the language of the block that a line begins, if it does."""
    directive = DIRECTIVE.match(line)
    if directive:
        return len(directive[1]), directive[2]
    paragraph = PARAGRAPH.match(line)
    if paragraph and not line.lstrip().startswith(".. "):
        # In a list item the text stands behind its mark.
        mark = re.match(r"\s*(?:(?:\d+\.|\*|-)\s+)?", line)
        return len(mark[0]) if mark else len(paragraph[1]), ""
    return None


def _indented(lines: list[str], indentation: int) -> Iterator[str]:
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= indentation:
            return
        if not re.match(r"\s+:[a-z-]+:", line):  # an option of the directive
            yield line


def commands(text: str) -> Iterator[str]:
    """Yield the commands of a shell text, one by one, comments and blank lines left out."""
    command = ""
    for line in text.splitlines():
        command = f"{command}\n{line}" if command else line
        if _is_whole(command):
            if command.strip() and not command.lstrip().startswith("#"):
                yield command.strip()
            command = ""
    if command.strip():
        raise ValueError(f"a quote is left open: {command!r}")


def _is_whole(command: str) -> bool:
    if command.endswith("\\"):
        return False
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return True


def pages() -> list[Path]:
    """Return every page for people: the README and all of docs/."""
    return [ROOT / "README.rst", *sorted((ROOT / "docs").rglob("*.rst"))]
