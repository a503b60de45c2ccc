"""The framer: any pieces give the same frames, and no bytes can make it raise or grow."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.framing import Frame, Framer

NOTICE = b"Content-Type: text/disconnect-notice\nContent-Length: 5\n\nbye!\n"

header_values = st.binary(max_size=30).filter(lambda value: b"\n" not in value)
bodies = st.binary(max_size=300)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    body = draw(bodies)
    other = b"X-Other: " + draw(header_values)
    if not body:
        return other + b"\n\n"
    lines = [b"Content-Length: %d" % len(body), other]
    return b"\n".join(draw(st.permutations(lines))) + b"\n\n" + body


def run(stream: bytes, sizes: list[int], **limits: int) -> tuple[list[Frame], str | None, Framer]:
    framer = Framer(**limits)
    got: list[Frame] = []
    position = turn = 0
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        got += framer.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
    return got, None if framer.fault is None else str(framer.fault), framer


class Framing(SynchronousTestCase):
    def test_a_frame_without_a_body(self) -> None:
        self.assertEqual(Framer().feed(b"A: 1\nB: 2\n\n"), [(b"A: 1\nB: 2", b"\n")])

    def test_the_length_counts_bytes(self) -> None:
        body = "日本".encode()
        frame = b"Content-Length: 6\n\n" + body
        self.assertEqual(Framer().feed(frame), [(b"Content-Length: 6", b"\n" + body)])

    def test_length_only_at_the_start_of_a_line(self) -> None:
        head = b"X: Content-Length: 9\nContent-Length: 2"
        self.assertEqual(Framer().feed(head + b"\n\nab"), [(head, b"\nab")])

    def test_length_in_any_case(self) -> None:
        head = b"Content-Type: t\ncontent-length:2"
        self.assertEqual(Framer().feed(head + b"\n\nab"), [(head, b"\nab")])

    def test_an_empty_body(self) -> None:
        head = b"Content-Length: 0"
        self.assertEqual(Framer().feed(head + b"\n\n"), [(head, b"\n")])

    @settings(deadline=None, max_examples=200)
    @given(st.lists(frames(), max_size=6), st.lists(st.integers(1, 200), min_size=1, max_size=9))
    def test_all_pieces_give_the_same_frames(self, stream: list[bytes], sizes: list[int]) -> None:
        whole = b"".join(stream)
        got, fault, framer = run(whole, sizes)
        self.assertEqual((got, fault), run(whole, [len(whole) or 1])[:2])
        self.assertEqual(len(got), len(stream))
        self.assertEqual(framer.finish().unfinished, 0)

    @settings(deadline=None, max_examples=300)
    @given(
        st.lists(
            st.binary(max_size=40)
            | st.sampled_from([b"\n", b"\n\n", b"Content-Length: ", b"7", b"-1", b"99999999999"]),
            max_size=20,
        ).map(b"".join),
        st.lists(st.integers(1, 50), min_size=1, max_size=5),
    )
    @example(b"Content-Length: -1\n\n", [1])
    @example(b"A: 1\n\nContent-Length: x\n\n", [100])
    @example(b"A" * 41 + b"\n\n", [1])
    def test_no_bytes_make_it_raise(self, stream: bytes, sizes: list[int]) -> None:
        got, fault, _ = run(stream, sizes, head_limit=40, frame_limit=100)
        whole, whole_fault, _ = run(stream, [len(stream) or 1], head_limit=40, frame_limit=100)
        self.assertEqual((got, fault), (whole, whole_fault))

    def test_frames_before_a_fault_are_given(self) -> None:
        framer = Framer()
        self.assertEqual(framer.feed(b"A: 1\n\nContent-Length: no\n\nB: 2\n\n"), [(b"A: 1", b"\n")])
        self.assertIn("no number", str(framer.fault))
        self.assertEqual(framer.feed(b"C: 3\n\n"), [])


class Bounds(SynchronousTestCase):
    def test_a_frame_beyond_the_limit_is_refused_before_it_is_kept(self) -> None:
        framer = Framer(frame_limit=1000)
        self.assertEqual(framer.feed(b"Content-Length: 1001\n\n"), [])
        self.assertIn("limit of 1000", str(framer.fault))

    def test_a_frame_at_the_limit_passes(self) -> None:
        self.assertEqual(len(Framer(frame_limit=9).feed(b"Content-Length: 9\n\n123456789")), 1)

    def test_endless_headers_are_refused(self) -> None:
        framer = Framer(head_limit=100)
        for _ in range(200):
            framer.feed(b"x")
        self.assertIn("longer than 100 bytes", str(framer.fault))

    def test_a_head_at_the_limit_passes_in_any_pieces(self) -> None:
        for sizes in ([1], [1000]):
            got, fault, _ = run(b"x" * 100 + b"\n\n", sizes, head_limit=100)
            self.assertEqual((len(got), fault), (1, None))

    def test_a_huge_length_is_no_reason_to_count_that_far(self) -> None:
        framer = Framer()
        framer.feed(b"Content-Length: " + b"9" * 5000 + b"\n\n")
        self.assertIn("no number", str(framer.fault))

    def test_a_long_body_in_small_pieces_is_joined_once(self) -> None:
        size = 4_000_000  # were each piece joined to all before it, this would copy 8 TB
        framer = Framer()
        framer.feed(b"Content-Length: %d\n\n" % size)
        got = [frame for _ in range(size // 4) for frame in framer.feed(b"abcd")]
        self.assertEqual([len(tail) for _, tail in got], [size + 1])


class TheEnd(SynchronousTestCase):
    def test_nothing_is_left_after_whole_frames(self) -> None:
        framer = Framer()
        framer.feed(NOTICE)
        self.assertEqual((framer.finish().unfinished, framer.finish().notice), (0, None))

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=200), st.lists(st.integers(1, 60), min_size=1, max_size=4))
    def test_a_notice_in_an_unfinished_frame(self, begun: bytes, sizes: list[int]) -> None:
        stream = b"Content-Length: 5000\n\n" + begun + NOTICE
        got, fault, framer = run(stream, sizes)
        self.assertEqual((got, fault), ([], None))
        left = framer.finish()
        self.assertEqual((left.unfinished, left.notice), (len(stream), b"bye!\n"))

    def test_a_notice_that_goes_on_is_payload(self) -> None:
        framer = Framer()
        framer.feed(b"Content-Length: 5000\n\n" + NOTICE + b"and more")
        self.assertIsNone(framer.finish().notice)
