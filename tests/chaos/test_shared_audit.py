"""The audit finds each way in which what hosts share can be used above its count or its rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twisted.trial.unittest import SynchronousTestCase

from chaos.shared_audit import SharedFindings, Use, Witness, examine_shared
from chaos.sharing import Shared
from ctidialer.switchsim.calllog import CallLog, EndLine, OriginateLine

TRUNK = Shared("trunk", "trunk", count=2)
PACED = Shared("paced", "paced", cps=10.0)
SWITCH_ENDED, FREED = 30.0, 25.0


def log(*calls: tuple[str, float, float | None], cause: str = "NORMAL_CLEARING") -> CallLog:
    """Return the log of calls, each with its UUID, its start and its end (None = it has none)."""
    return CallLog(
        originates=tuple(
            OriginateLine(start, at, "", uuid_asked=uuid, uuid=uuid)
            for at, (uuid, start, _) in enumerate(calls)
        ),
        ends=tuple(
            EndLine(end, at, uuid, "", True, cause)
            for at, (uuid, _, end) in enumerate(calls)
            if end is not None
        ),
    )


def every(apart: float, count: int, begin: float = 100.0) -> CallLog:
    """Return the log of ``count`` short calls that start one after the other."""
    starts = [begin + index * apart for index in range(count)]
    return log(*((f"u{start}", start, start + 0.001) for start in starts))


class SharedAuditCase(SynchronousTestCase):
    shared: Sequence[Shared] = (TRUNK,)

    def examined(self, late: float = 0.0, **hosts: Witness | CallLog) -> SharedFindings:
        """Compare the logs; every call of ``fs1`` may be ``late``."""
        witnesses = {
            host: one if isinstance(one, Witness) else Witness(one) for host, one in hosts.items()
        }

        def counts_on(_: OriginateLine) -> Iterator[Shared]:
            yield from self.shared

        def lateness(host: str, _: float) -> float:
            return late if host == "fs1" else 0.0

        return examine_shared(witnesses, lateness, counts_on)


class CountTests(SharedAuditCase):
    def test_one_call_too_many_on_two_hosts_together(self) -> None:
        found = self.examined(
            fs1=log(("a", 10.0, 20.0), ("b", 12.0, 14.0)), fs2=log(("c", 13.0, 15.0))
        )
        said = "trunk had 3 calls at once, 2 are allowed (at 13.000)"
        self.assertEqual(found.faults, (said,))
        self.assertEqual(found.most, {"trunk": Use(3, 1)})

    def test_as_many_as_are_allowed(self) -> None:
        found = self.examined(
            fs1=log(("a", 10.0, 20.0), ("b", 12.0, 13.0)), fs2=log(("c", 13.0, 15.0))
        )
        self.assertEqual(found.faults, ())
        self.assertEqual(found.most["trunk"].at_once, 2)

    def test_a_call_without_an_end_goes_on(self) -> None:
        found = self.examined(
            fs1=log(("a", 10.0, None), ("b", 11.0, None)), fs2=log(("c", 31.0, 32.0))
        )
        self.assertIn("3 calls at once", " ".join(found.faults))

    def test_a_killed_switch_has_no_calls_any_more(self) -> None:
        killed = Witness(log(("a", 10.0, None), ("b", 11.0, None)), (5.0, SWITCH_ENDED))
        self.assertEqual(self.examined(fs1=killed, fs2=log(("c", 31.0, 32.0))).faults, ())
        early = log(("c", 29.0, 32.0))
        self.assertIn("3 calls at once", " ".join(self.examined(fs1=killed, fs2=early).faults))

    def test_the_calls_of_a_host_that_is_gone_count_until_its_places_are_free(self) -> None:
        gone = Witness(log(("a", 10.0, 40.0), ("b", 11.0, 24.0)), freed=(FREED,))
        after, before = log(("c", 26.0, 50.0), ("d", 27.0, 50.0)), log(("c", 23.0, 50.0))
        found = self.examined(fs1=gone, fs2=after)
        self.assertEqual((found.faults, found.outlived), ((), 1))
        self.assertIn("3 calls at once", " ".join(self.examined(fs1=gone, fs2=before).faults))

    def test_what_made_no_channel_was_no_call(self) -> None:
        none = log(("x", 12.0, 15.0), cause="GATEWAY_DOWN")
        refused = CallLog(originates=(OriginateLine(12.0, 1, "", uuid_asked="y", uuid=""),))
        up = log(("a", 10.0, 20.0), ("b", 11.0, 20.0))
        self.assertEqual(self.examined(fs1=up, fs2=none, fs3=refused).faults, ())


class RateTests(SharedAuditCase):
    shared = (PACED,)

    def test_one_by_one_is_not_too_fast(self) -> None:
        found = self.examined(fs1=every(0.102, 400))
        self.assertEqual(found.faults, ())
        self.assertEqual(found.most["paced"].in_a_second, 10)

    def test_two_hosts_that_have_the_whole_rate_each(self) -> None:
        found = self.examined(fs1=every(0.102, 40), fs2=every(0.102, 40, begin=100.05))
        self.assertIn("paced had 20 starts within 1 s, 11 are allowed", " ".join(found.faults))

    def test_a_little_too_fast_shows_in_the_long_run(self) -> None:
        found = self.examined(late=0.5, fs1=every(0.09, 400))
        (said,) = (fault for fault in found.faults if "30 s" in fault)
        self.assertIn("301 are allowed", said)
        self.assertEqual(self.examined(late=0.5, fs1=every(0.102, 400)).faults, ())

    def test_calls_that_were_held_up_come_at_once(self) -> None:
        held = every(0.001, 20)
        self.assertEqual(self.examined(late=3.0, fs1=held).faults, ())
        self.assertNotEqual(self.examined(late=0.0, fs1=held).faults, ())

    def test_only_those_of_the_host_that_was_held_up(self) -> None:
        self.assertNotEqual(self.examined(late=3.0, fs2=every(0.001, 20)).faults, ())
