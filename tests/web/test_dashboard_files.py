"""The dashboard's files: translations that are complete, and nothing that the CSP would refuse."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome
from ctidialer.dialer.node_view import SHOWN_FIRST
from ctidialer.rules.explanation import Reason
from ctidialer.rules.line_state import Why
from ctidialer.web import static

STATIC = Path(static.__file__).parent
DOCS = STATIC.parent.parent.parent / "docs"
LANGUAGES = ("en", "zh")
LONGEST = 300
ENTRY = re.compile(r"^  '([^']+)': '(.*)',$", re.MULTILINE)
ATTRIBUTE = re.compile(r"data-t(?:-label|-placeholder)?\"?'?[=:] ?[\"'`]([^\"'`]+)[\"'`]")
LITERAL = re.compile(r"'([a-z]+\.[a-z_]+)'")
BUILT = re.compile(r"`([a-z]+)\.\$\{")
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")


def scripts() -> list[Path]:
    """Return the JavaScript files."""
    return sorted(STATIC.glob("*.js"))


def words(language: str) -> dict[str, str]:
    """Return a table of translations."""
    text = (STATIC / f"{language}.js").read_text("utf-8")
    found = ENTRY.findall(text)
    assert len(found) == len(dict(found)), "a key stands twice"
    assert len(found) == text.count("\n  '"), "a line of the table is not understood"
    return dict(found)


def used() -> tuple[set[str], set[str]]:
    """Return the keys that the page uses, and the groups whose keys are put together there."""
    texts = [path.read_text("utf-8") for path in scripts() if path.stem not in LANGUAGES]
    page = "\n".join([*texts, (STATIC / "dashboard.html").read_text("utf-8")])
    groups = set(BUILT.findall(page)) | set(re.findall(r"word\('([a-z]+)'", page))
    keys = {*ATTRIBUTE.findall(page), *LITERAL.findall(page)}
    return {key for key in keys if not key.startswith("ctidialer.")}, groups


def group(language: str, name: str) -> set[str]:
    """Return what the keys of a group end in."""
    return {key.partition(".")[2] for key in words(language) if key.startswith(f"{name}.")}


class TranslationTests(SynchronousTestCase):
    def test_both_languages_have_the_same_keys_and_values(self) -> None:
        english, chinese = words("en"), words("zh")
        self.assertEqual(set(english), set(chinese))
        for key, text in english.items():
            self.assertTrue(text and chinese[key], key)
            values = re.compile(r"\{\w+\}")
            self.assertEqual(
                sorted(values.findall(text)), sorted(values.findall(chinese[key])), key
            )

    def test_chinese_is_chinese(self) -> None:
        same = {key for key, text in words("zh").items() if not re.search("[一-鿿]", text)}
        # A sentence that only puts a name, a problem or both into its place.
        self.assertEqual(same, {"toast.failed"})

    def test_every_key_that_is_used_is_there_and_none_is_left_over(self) -> None:
        keys, groups = used()
        there = set(words("en"))
        literal = {key for key in keys if "${" not in key}
        self.assertEqual(literal - there, set())
        self.assertEqual({k for k in there - literal if k.partition(".")[0] not in groups}, set())

    def test_all_words_of_the_daemon_are_translated(self) -> None:
        reasons = {reason.value for reason in Reason}
        for language in LANGUAGES:
            self.assertEqual(group(language, "reason"), reasons)
            self.assertEqual(group(language, "meaning"), reasons)
            outcomes = {outcome.value for outcome in Outcome}
            self.assertEqual(group(language, "outcome"), outcomes | {"other"})
            lines = {*SHOWN_FIRST, *(why.name.lower() for why in Why)}
            self.assertEqual(group(language, "line"), lines)

    def test_every_word_of_the_daemon_has_a_tone(self) -> None:
        tones = (STATIC / "tones.js").read_text("utf-8")
        toned = set(re.findall(r"^  (\w+): '\w+',$", tones, re.MULTILINE))
        named = {*(r.value for r in Reason), *(o.value for o in Outcome), *SHOWN_FIRST}
        self.assertEqual(toned, named)

    def test_the_login_page_has_both_languages(self) -> None:
        login = (STATIC / "login.js").read_text("utf-8")
        tables = re.findall(r"^    (?:en|zh): \{\n(.*?)^    \}", login, re.MULTILINE | re.DOTALL)
        english, chinese = (set(re.findall(r"^ +(\w+):", table, re.MULTILINE)) for table in tables)
        self.assertEqual(english, chinese)
        self.assertGreater(len(english), 3)

    def test_the_pages_of_the_documentation_have_every_word(self) -> None:
        for page, language in (("dashboard.rst", "en"), ("zh/dashboard.rst", "zh")):
            text = (DOCS / page).read_text("utf-8")
            for key, shown in words(language).items():
                if key.partition(".")[0] in {"reason", "meaning"}:
                    self.assertIn(shown, text, f"{key} in {page}")


class SafetyTests(SynchronousTestCase):
    def test_no_text_is_ever_read_as_markup(self) -> None:
        for path in scripts():
            self.assertNotRegex(path.read_text("utf-8"), MARKUP, path.name)

    def test_nothing_stands_inline_and_nothing_comes_from_elsewhere(self) -> None:
        for path in STATIC.glob("*.html"):
            text = path.read_text("utf-8")
            self.assertNotRegex(text, r"(?i)<style|\sstyle=|\son[a-z]+=", path.name)
            self.assertNotRegex(text, r"<script[^>]*>[^<]", path.name)
        for path in [*STATIC.glob("*.html"), *STATIC.glob("*.css"), *scripts()]:
            addresses = set(
                re.findall(r"(?:https?:)?//[a-z][^\s'\"]*\.[^\s'\"]+", path.read_text("utf-8"))
            )
            self.assertEqual(addresses - {"http://www.w3.org/2000/svg"}, set(), path.name)

    def test_every_module_is_short_and_says_what_it_is_for(self) -> None:
        for path in scripts():
            text = path.read_text("utf-8")
            self.assertLess(text.count("\n"), LONGEST, path.name)
            self.assertTrue(text.startswith("/* "), path.name)

    def test_every_import_is_there(self) -> None:
        for path in scripts():
            for name in re.findall(r"from '\./([^']+)'", path.read_text("utf-8")):
                self.assertTrue((STATIC / name).is_file(), f"{name}, for {path.name}")
