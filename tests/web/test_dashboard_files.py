"""The dashboard's files: translations that are complete, and nothing that the CSP would refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome
from ctidialer.dialer.node_view import SHOWN_FIRST
from ctidialer.rules.line_reasons import LINE_STATES, LINE_WORDS
from ctidialer.rules.reasons import Of, Reason
from ctidialer.rules.words import LANGUAGES
from ctidialer.web import static, words_js

STATIC = Path(static.__file__).parent
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


def made() -> dict[str, Any]:
    """Return what the script says that is made from the tables of the rules."""
    text = words_js.reasons_js().decode()
    found = re.findall(r"(?ms)^export const (\w+) = (\{.*?^\});$", text)
    return {name: json.loads(value) for name, value in found}


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
        groups |= {"meaning"}
        literal = {key for key in keys if "${" not in key}
        self.assertEqual(literal - there, set())
        self.assertEqual({k for k in there - literal if k.partition(".")[0] not in groups}, set())

    def test_all_words_of_the_daemon_are_translated(self) -> None:
        outcomes = {outcome.value for outcome in Outcome}
        for language in LANGUAGES:
            self.assertEqual(group(language, "outcome"), outcomes | {"other"})
            texts, forms = made()["WORDS"][language], made()["FORMS"][language]
            for reason in Reason:
                self.assertEqual(texts[f"reason.{reason.value}"], reason.words.label.in_(language))
                self.assertIn(f"meaning.{reason.value}", texts)
                said = {form: one.in_(language) for form, one in reason.words.forms.items()}
                self.assertEqual(forms[f"reason.{reason.value}"], said)
            for name, of in LINE_WORDS.items():
                self.assertEqual(texts[f"line.{name}"], of.label.in_(language))
                self.assertIn(f"line.{name}", forms)
            self.assertFalse([text for text in texts.values() if "``" in text])
            self.assertFalse(texts.keys() & words(language).keys())

    def test_every_word_of_the_daemon_has_a_tone(self) -> None:
        tones = (STATIC / "tones.js").read_text("utf-8")
        toned = set(re.findall(r"^  (\w+): '\w+',$", tones, re.MULTILINE))
        self.assertEqual(toned, {outcome.value for outcome in Outcome})
        reasons = {*made()["TASK_REASONS"], *made()["SCHEDULE_REASONS"]}
        self.assertEqual(reasons, {reason.value for reason in Reason})
        self.assertEqual(made()["SCHEDULE_REASONS"]["not_due"], "wait")
        of_both = {reason.value for reason in Reason if reason.of is Of.BOTH}
        self.assertLessEqual(of_both, made()["TASK_REASONS"].keys())
        self.assertEqual(set(made()["LINE_TONES"]), set(LINE_WORDS))
        self.assertEqual(set(made()["LINE_STATES"]), set(LINE_STATES))
        self.assertEqual(set(SHOWN_FIRST), set(LINE_STATES))

    def test_the_login_page_has_both_languages(self) -> None:
        login = (STATIC / "login.js").read_text("utf-8")
        tables = re.findall(r"^    (?:en|zh): \{\n(.*?)^    \}", login, re.MULTILINE | re.DOTALL)
        english, chinese = (set(re.findall(r"^ +(\w+):", table, re.MULTILINE)) for table in tables)
        self.assertEqual(english, chinese)
        self.assertGreater(len(english), 3)


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
            if path.stem not in LANGUAGES:  # these are tables of words
                self.assertLess(text.count("\n"), LONGEST, path.name)
            self.assertTrue(text.startswith("/* "), path.name)

    def test_every_import_is_there(self) -> None:
        for path in scripts():
            for name in re.findall(r"from '\./([^']+)'", path.read_text("utf-8")):
                is_there = (STATIC / name).is_file() or name == words_js.NAME
                self.assertTrue(is_there, f"{name}, for {path.name}")
