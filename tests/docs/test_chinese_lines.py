"""Chinese pages: no blank where a line of the source ends."""

from __future__ import annotations

import runpy

from twisted.trial.unittest import SynchronousTestCase

from tests.docs.blocks import ROOT
from tools.chinese_lines import join_lines


class JoinTests(SynchronousTestCase):
    def test_no_blank_between_chinese_characters(self) -> None:
        self.assertEqual(join_lines("默认只监听\n本机地址"), "默认只监听本机地址")
        self.assertEqual(join_lines("第一句。\n第二句，\n（三）"), "第一句。第二句，（三）")

    def test_a_blank_stays_beside_other_words(self) -> None:
        for text in ("监听\nRedis", "Redis\n监听", "two\nwords"):
            self.assertEqual(join_lines(text), text)

    def test_the_pages_are_built_with_it(self) -> None:
        built_with = runpy.run_path(str(ROOT / "docs" / "conf.py"))["extensions"]
        self.assertIn("tools.chinese_lines", built_with)
