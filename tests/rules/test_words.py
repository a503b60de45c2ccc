"""Texts in two languages, and the one table of all reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.line_reasons import LINE_STATES, LINE_WORDS, Why
from ctidialer.rules.reasons import Condition, Of, Reason, reason_called
from ctidialer.rules.words import LANGUAGES, NOTHING, Said, Tone, Words, filled, named, needed

TEMPLATE = "it is paused[ by {by}][ since {since}], until it is {done}"
VALUES = st.dictionaries(st.sampled_from(("by", "since", "done")), st.text())


def all_words() -> Iterator[tuple[str, Words]]:
    """Yield every row of both tables."""
    yield from ((reason.value, reason.words) for reason in Reason)
    yield from LINE_WORDS.items()


class TemplateTests(SynchronousTestCase):
    def test_a_part_in_brackets_needs_its_values(self) -> None:
        for values, text in (
            ({"done": "x"}, "it is paused, until it is x"),
            ({"done": "x", "by": "ann"}, "it is paused by ann, until it is x"),
            ({"done": "x", "by": "a", "since": "8"}, "it is paused by a since 8, until it is x"),
            ({}, "it is paused, until it is ?"),
        ):
            self.assertEqual(filled(TEMPLATE, values), text)
        self.assertEqual(needed(TEMPLATE), {"done"})
        self.assertEqual(named(TEMPLATE), {"by", "since", "done"})

    @given(VALUES)
    def test_values_are_never_read_as_templates(self, values: dict[str, str]) -> None:
        by = f" by {values['by']}" if "by" in values else ""
        since = f" since {values['since']}" if "since" in values else ""
        text = f"it is paused{by}{since}, until it is {values.get('done', '?')}"
        self.assertEqual(filled(TEMPLATE, values), text)

    def test_a_form_of_another_version_is_the_usual_one(self) -> None:
        words = Words(Tone.BAD, NOTHING, NOTHING, {"": Said("so", "是"), "x": Said("{x}", "{x}")})
        self.assertEqual(words.sentence("later", {}), "so")
        self.assertEqual(words.sentence("", {}, "zh"), "是")
        self.assertTrue(words.can_say("x", {"x": "1"}))
        self.assertFalse(words.can_say("x", {}))
        self.assertFalse(words.can_say("later", {}))


class TableTests(SynchronousTestCase):
    def test_each_word_is_said_in_both_languages(self) -> None:
        for name, words in all_words():
            self.assertIn("", words.forms, name)
            texts = [words.label, words.meaning, *words.forms.values()]
            texts += [words.advice] if words.advice != NOTHING else []
            for said in texts:
                self.assertEqual(bool(said.en), bool(said.zh), name)
                self.assertEqual(named(said.en), named(said.zh), name)
                self.assertEqual(needed(said.en), needed(said.zh), name)
            for said in (words.label, words.meaning):
                self.assertRegex(said.zh, "[一-鿿]", name)

    def test_meanings_are_sentences_and_forms_are_parts_of_one(self) -> None:
        for name, words in all_words():
            self.assertRegex(words.meaning.en, r"^[A-Z`].*\.$", name)
            self.assertTrue(words.meaning.zh.endswith("。"), name)
            for said in words.forms.values():
                self.assertFalse(said.en.endswith("."), name)
                self.assertFalse(said.zh.endswith("。"), name)

    def test_no_blank_stands_between_two_chinese_characters(self) -> None:
        for name, words in all_words():
            for said in (words.label, words.meaning, words.advice, *words.forms.values()):
                self.assertIsNone(re.search("[一-鿿，。；：] [一-鿿，。；：]", said.zh), name)

    def test_the_values_are_for_programs(self) -> None:
        for word in (*Reason, *Why):
            self.assertEqual(word.value, word.name.lower())
        self.assertIs(reason_called("paused"), Reason.PAUSED)
        self.assertIsNone(reason_called("of a later version"))

    def test_what_the_tables_tell_stands_before_what_the_daemon_tells(self) -> None:
        known = [reason.from_tables for reason in Reason]
        self.assertEqual(known, sorted(known, reverse=True))

    def test_the_states_of_lines_and_the_faults_of_groups(self) -> None:
        self.assertEqual(
            set(LINE_WORDS) - set(LINE_STATES),
            {
                "unknown_line",
                "group_disabled",
                "no_lines",
                "unfit_name",
            },
        )

    def test_nobody_else_is_said_to_hold_the_name_while_redis_is_away(self) -> None:
        for language in LANGUAGES:
            said = [one.reason.sentence(one.form, {}, language) for one in Condition]
            self.assertNotRegex(" ".join(said), "another|另一个")

    def test_each_condition_has_a_form_of_its_reason(self) -> None:
        for condition in Condition:
            self.assertIn(condition.form, condition.reason.words.forms)
            self.assertIs(condition.reason.of, Of.BOTH)
            self.assertNotEqual(condition.text, "")
