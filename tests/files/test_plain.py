"""Files of one number, or one entry, a line."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files.lines import MAX_LINE_BYTES
from tests.files.reading import checked, numbers, opened, rows


class TextTests(SynchronousTestCase):
    def test_one_number_a_line_whatever_ends_it(self) -> None:
        for end in ("\n", "\r\n", "\r"):
            found = rows(end.join([" 1 ", "", "2", "3"]), "n.txt")
            self.assertEqual(
                [(row.line, row.number) for row in found], [(1, "1"), (3, "2"), (4, "3")]
            )

    def test_comments_begin_with_a_hash_and_a_space(self) -> None:
        self.assertEqual(numbers("# 1\n#\n #31#1\n# \n", "n"), ["#31#1"])

    def test_a_header_is_passed_over(self) -> None:
        self.assertEqual(numbers("手机号\n138\n", "n.txt"), ["138"])
        self.assertEqual(numbers("138\nphone\n", "n.txt"), ["138", "phone"])

    def test_a_line_without_end_is_not_read_at_once(self) -> None:
        bad, good = rows(b"1" * (3 * MAX_LINE_BYTES) + b"\n2\n", "n.txt")
        assert bad.problem is not None
        self.assertEqual(bad.problem.text, f"is longer than {MAX_LINE_BYTES} characters")
        self.assertLess(len(bad.raw[0]), 2000)
        self.assertEqual((good.line, good.number), (2, "2"))

    def test_a_stray_byte_makes_one_row_bad(self) -> None:
        found, entries = checked(opened(b"1\n" * 300 + b"2\xff\n3\n", "n.txt"))
        self.assertEqual(len(entries), 301)
        ((line, problem),) = [(one.line, one.problem) for one in found.bad]
        self.assertEqual((line, problem), (301, "has bytes that are no text; see --encoding"))


class JsonLinesTests(SynchronousTestCase):
    def test_objects_only(self) -> None:
        one, two, three = rows('{"params":{}}\n[\n13800\n', "n.jsonl")
        self.assertEqual((one.number, one.is_entry), ('{"params":{}}', True))
        assert two.problem is not None
        self.assertEqual(two.problem.text, 'must be a JSON object or string, not "["')
        self.assertEqual(three.line, 3)

    def test_an_entry_is_checked_as_it_stands(self) -> None:
        good = '{"params": {"number": "1"}, "variables": {"a": "b"}}'
        found, entries = checked(opened(f'{good}\n{{"params":{{}}}}\n', "n.jsonl"))
        self.assertEqual(entries, [good.encode()])
        self.assertEqual(found.bad[0].problem, "$.params.number is missing")
