"""The Chinese pages say what the English ones say, as far as a program can see it."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.docs.blocks import ROOT, blocks

DOCS = ROOT / "docs"
UNDERLINE = re.compile(r"(?m)^([=\-~])\1{2,}$")
LITERAL = re.compile(r"``([^`]+)``")
OUR_WORDS = re.compile(r"^[a-z]+_[a-z_@<>]+$|^--[a-z-]+$|^[a-z]+\.[a-z_]+$|^ctidialer [a-z]+")


def both() -> list[tuple[Path, Path]]:
    """Return each Chinese page with its English one."""
    pages = sorted((DOCS / "zh").glob("*.rst"))
    return [(page, DOCS / page.name) for page in pages if page.name != "index.rst"]


def headings(page: Path) -> list[str]:
    """Return the underlines of a page's headings: how deep each section is."""
    text = re.sub(r"(?m)^ .*$|^=+( =+)+$", "", page.read_text(encoding="utf-8"))
    return UNDERLINE.findall(text)


def literals(page: Path) -> set[str]:
    """Return the keys, options and commands of ours that the prose of a page names."""
    text = page.read_text(encoding="utf-8")
    return {found for found in LITERAL.findall(text) if OUR_WORDS.match(found)}


class ChinesePagesTests(SynchronousTestCase):
    def test_each_has_an_english_page(self) -> None:
        self.assertGreater(len(both()), 5)
        for chinese, english in both():
            self.assertTrue(english.exists(), f"{chinese.name} has no English page")

    def test_the_same_sections(self) -> None:
        for chinese, english in both():
            self.assertEqual(headings(chinese), headings(english), chinese.name)

    def test_the_same_blocks(self) -> None:
        for chinese, english in both():
            self.assertEqual(len(blocks(chinese)), len(blocks(english)), chinese.name)

    def test_the_same_keys_and_commands(self) -> None:
        for chinese, english in both():
            missing = literals(english) - literals(chinese)
            self.assertEqual(missing, set(), f"{chinese.name} does not name these")
