"""The page of words: both languages have the same, and the Chinese texts keep to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.sentences import Sentence
from ctidialer.cli import texts
from ctidialer.contract.problems import Problem
from ctidialer.contract.said import Said
from ctidialer.rules.line_reasons import LINE_WORDS
from ctidialer.rules.reasons import Reason
from tests.docs.blocks import ROOT

DOCS = ROOT / "docs"
ROW = re.compile(r"(?m)^   \* - (.+)\n     - (.+)\n     - ")
OTHER_WORDS = {
    "在途": "处理中号码",
    "禁用": "未启用",
    "已停用": "故障停用 of a line, 已排空 of a node",
    "忙线": "占线",
    "停止刷新": "暂停刷新",
    "频道变量": "通道变量",
    "发布通道": "频道",
    "呼出结果": "结果",
}
"""What is said in no Chinese text, and what is said for it."""


def rows(page: str) -> list[tuple[str, str]]:
    """Return the first two cells of each row but the head."""
    return ROW.findall((DOCS / page).read_text("utf-8"))[1:]


def chinese_texts() -> Iterator[tuple[str, str]]:
    """Yield every Chinese text that is shown, and where it stands."""
    for page in sorted((DOCS / "zh").glob("*.rst")):
        yield page.name, page.read_text("utf-8")
    static = ROOT / "ctidialer" / "web" / "static" / "zh.js"
    yield static.name, static.read_text("utf-8")
    for row in (*Problem, *Sentence):
        yield row.name, row.value.zh
    for words in (*(one.words for one in Reason), *LINE_WORDS.values()):
        for said in (words.label, words.meaning, words.advice, *words.forms.values()):
            yield words.label.en, said.zh
    for name, said in vars(texts).items():
        if isinstance(said, Said):
            yield name, said.zh


class WordsTests(SynchronousTestCase):
    def test_both_pages_have_the_same_words(self) -> None:
        chinese = [(word, said) for said, word in rows("zh/glossary.rst")]
        self.assertGreater(len(chinese), 20)
        self.assertEqual(chinese, rows("glossary.rst"))

    def test_no_word_stands_twice(self) -> None:
        for column in zip(*rows("glossary.rst"), strict=True):
            self.assertEqual(len(set(column)), len(column))

    def test_no_chinese_text_has_another_word_for_it(self) -> None:
        for where, text in chinese_texts():
            for word, instead in OTHER_WORDS.items():
                self.assertNotIn(word, text, f"{where}: say {instead}")

    def test_out_of_use_is_said_in_full(self) -> None:
        """停用 alone could be a task that is switched off, or a node that is drained."""
        for where, text in chinese_texts():
            self.assertIsNone(re.search("(?<!故障)(?<!人工)停用", text), where)
