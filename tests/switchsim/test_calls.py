"""The course of a call: results, timeouts, the order of its events, and what is said of it."""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.switchsim.behaviour import ScriptError, read_behaviour, read_script
from tests.switchsim.replay import Bench, Client, Frame

CALL = "{origination_uuid=u1%s}sofia/gateway/gw/%s 8888 XML default"
ENDS = ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")


class CallCase(SynchronousTestCase):
    def dial(self, behaviour: dict[str, Any], more: str = "", number: str = "139") -> Client:
        self.bench = Bench({"numbers": {number: behaviour}})
        client = self.bench.client("event plain ALL")
        client.send("bgapi originate " + CALL % (more, number) + "\nJob-UUID: j")
        return client

    def course(self, client: Client, seconds: float = 70.0) -> list[str]:
        self.bench.advance(seconds)
        return self.names(client.events())

    def names(self, events: list[Frame]) -> list[str]:
        return [event.header("Event-Name") for event in events]

    def end(self, behaviour: dict[str, Any], more: str = "", seconds: float = 70.0) -> Frame:
        """Dial and give CHANNEL_HANGUP_COMPLETE."""
        client = self.dial(behaviour, more)
        self.bench.advance(seconds)
        return next(e for e in client.events() if e.header("Event-Name") == ENDS[1])


class Timeouts(CallCase):
    def waited(self, behaviour: dict[str, Any], more: str) -> tuple[str, float]:
        end = self.end(behaviour, more)
        return end.header("Hangup-Cause"), int(end.header("variable_uduration")) / 1e6

    def test_originate_timeout_ends_within_its_last_second(self) -> None:
        cause, seconds = self.waited({"result": "no_answer"}, ",originate_timeout=3")
        self.assertEqual(cause, "NO_ANSWER")
        self.assertTrue(2.0 <= seconds <= 3.0, seconds)

    def test_sixty_seconds_without_one(self) -> None:
        cause, seconds = self.waited({"result": "no_answer"}, "")
        self.assertEqual(cause, "NO_ANSWER")
        self.assertTrue(59.0 <= seconds <= 60.0, seconds)

    def test_leg_timeout_and_progress_timeout(self) -> None:
        ringing = {"result": "no_answer", "progress": "ringing"}
        more = ",progress_timeout=2,leg_timeout=4,call_timeout=1"
        self.assertEqual(self.waited(ringing, more)[0], "ALLOTTED_TIMEOUT")
        self.assertEqual(self.waited({"result": "silent"}, more)[0], "PROGRESS_TIMEOUT")

    def test_silence_ends_after_32_seconds(self) -> None:
        cause, seconds = self.waited({"result": "silent"}, "")
        self.assertEqual((cause, round(seconds)), ("RECOVERY_ON_TIMER_EXPIRE", 32))

    def test_no_timeout_after_the_answer(self) -> None:
        client = self.dial({"talk": 30}, ",originate_timeout=2")
        self.assertNotIn("CHANNEL_HANGUP", self.course(client, 10))

    def test_a_cancelled_call_has_no_sip_term_status(self) -> None:
        end = self.end({"result": "no_answer", "progress": "ringing"}, ",originate_timeout=1")
        names = [name for name, _ in end.headers]
        self.assertNotIn("variable_sip_term_status", names)
        self.assertEqual(end.header("variable_sip_invite_failure_status"), "487")


class EarlyMedia(CallCase):
    EARLY: ClassVar[dict[str, Any]] = {
        "progress": "early",
        "ring": 1.0,
        "result": "sip",
        "status": 486,
    }

    def test_the_job_succeeds_at_the_183(self) -> None:
        client = self.dial(self.EARLY)
        events = client.events()
        self.assertEqual(events[-1].payload, b"+OK u1\n")
        self.assertEqual(
            self.course(client, 2),
            ["CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"],
        )

    def test_ignored_it_does_not(self) -> None:
        client = self.dial(self.EARLY, ",ignore_early_media=true")
        self.assertNotIn("BACKGROUND_JOB", self.names(client.events()))
        self.bench.advance(2)
        job = next(e for e in client.events() if e.header("Job-UUID"))
        self.assertEqual(job.payload, b"-ERR USER_BUSY\n")


class Order(CallCase):
    def test_the_job_stands_where_the_script_says(self) -> None:
        busy = {"result": "busy"}
        wanted = {
            "before": ["BACKGROUND_JOB", *ENDS],
            "first": [ENDS[0], "BACKGROUND_JOB", *ENDS[1:]],
            "middle": [*ENDS[:2], "BACKGROUND_JOB", ENDS[2]],
            "last": [*ENDS, "BACKGROUND_JOB"],
        }
        for order, names in wanted.items():
            client = self.dial({**busy, "job": order})
            self.assertEqual(self.names(client.events())[1:], names, order)

    def test_a_late_job_of_an_answered_call_still_says_ok(self) -> None:
        client = self.dial({"talk": 0.1, "job": "last"})
        self.bench.advance(1)
        last = client.events()[-1]
        self.assertEqual(last.payload, b"+OK u1\n")

    def test_create_after_hangup(self) -> None:
        client = self.dial({"result": "busy", "create_last": True, "job": "last"})
        self.assertEqual(self.names(client.events())[:2], ["CHANNEL_HANGUP", "CHANNEL_CREATE"])

    def test_lost_events(self) -> None:
        client = self.dial({"talk": 0.1, "lose": "hangup"})
        self.assertEqual(
            self.course(client), ["CHANNEL_CREATE", "CHANNEL_ANSWER", "BACKGROUND_JOB"]
        )
        client = self.dial({"result": "busy", "lose": ["BACKGROUND_JOB", "hangup"]})
        self.assertEqual(self.course(client), ["CHANNEL_CREATE"])
        self.assertEqual(client.ask("uuid_exists u1"), "false")

    @settings(deadline=None, max_examples=50)
    @given(
        st.fixed_dictionaries(
            {
                "result": st.sampled_from(
                    ["answer", "sip", "no_answer", "silent", "unreachable", "gateway_down", "error"]
                ),
                "progress": st.sampled_from(["none", "ringing", "early"]),
                "progress_after": st.sampled_from([0.0, 0.02, 2.0]),
                "ring": st.sampled_from([0.0, 0.02, 3.0]),
                "talk": st.sampled_from([0.0, 0.5]),
                "job": st.sampled_from(["seeded", "before", "first", "middle", "last"]),
            }
        ),
        st.sampled_from(["", ",ignore_early_media=true"]),
    )
    def test_every_call_ends_once_and_its_job_is_told_once(
        self, behaviour: dict[str, Any], more: str
    ) -> None:
        names = self.course(self.dial(behaviour, more))
        self.assertEqual(names.count("BACKGROUND_JOB"), 1)
        self.assertLessEqual(names.count("CHANNEL_ANSWER"), 1)
        ends = [name for name in names if name in ENDS]
        if behaviour["result"] == "error":
            self.assertEqual(names, ["BACKGROUND_JOB"])
        elif behaviour["result"] == "gateway_down":
            self.assertEqual(names, ["CHANNEL_DESTROY", "BACKGROUND_JOB"])
        else:
            self.assertEqual((names[0], tuple(ends)), ("CHANNEL_CREATE", ENDS))
        self.assertEqual(self.bench.switch.calls, {})


class Statuses(CallCase):
    TABLE: ClassVar[dict[int, tuple[str, int]]] = {
        402: ("CALL_REJECTED", 21),
        404: ("UNALLOCATED_NUMBER", 1),
        408: ("RECOVERY_ON_TIMER_EXPIRE", 102),
        410: ("NUMBER_CHANGED", 22),
        480: ("NO_USER_RESPONSE", 18),
        484: ("INVALID_NUMBER_FORMAT", 28),
        487: ("ORIGINATOR_CANCEL", 16),
        488: ("INCOMPATIBLE_DESTINATION", 88),
        502: ("NETWORK_OUT_OF_ORDER", 38),
        503: ("NORMAL_TEMPORARY_FAILURE", 41),
        504: ("RECOVERY_ON_TIMER_EXPIRE", 102),
        600: ("USER_BUSY", 17),
        603: ("CALL_REJECTED", 21),
        604: ("NO_ROUTE_DESTINATION", 3),
        608: ("CALL_REJECTED", 21),
    }

    def test_each_status_has_its_cause(self) -> None:
        for status, (cause, q850) in self.TABLE.items():
            end = self.end({"result": "sip", "status": status}, seconds=0.1)
            self.assertEqual(end.header("Hangup-Cause"), cause)
            self.assertEqual(end.header("variable_hangup_cause_q850"), str(q850))
            self.assertEqual(end.header("variable_sip_term_status"), str(status))
            protocol = end.header("variable_proto_specific_hangup_cause")
            self.assertEqual(protocol, f"sip%3A{status}")

    def test_a_reason_overrides_the_cause_and_not_the_status(self) -> None:
        end = self.end({"result": "sip", "status": 503, "reason": 34}, seconds=0.1)
        self.assertEqual(end.header("Hangup-Cause"), "NORMAL_CIRCUIT_CONGESTION")
        self.assertEqual(end.header("variable_sip_term_status"), "503")
        self.assertEqual(end.header("variable_sip_term_cause"), "34")


class Commands(CallCase):
    def test_uuid_kill_ends_a_call_once(self) -> None:
        client = self.dial({"result": "no_answer"})
        self.assertEqual(client.ask("uuid_exists u1"), "true")
        self.assertEqual(client.ask("uuid_kill u1 CALL_REJECTED"), "+OK\n")
        self.assertEqual(client.ask("uuid_kill u1"), "-ERR No such channel!\n")
        self.bench.advance(0.3)
        self.assertEqual(client.ask("show channels as json"), '{"row_count": 0}\n')

    def test_show_is_behind_by_up_to_200_ms(self) -> None:
        bench = Bench({"default": {"talk": 60}})
        client = bench.client("api originate {origination_uuid=u}null/1 &park")
        self.assertEqual(client.ask("uuid_exists u"), "true")
        self.assertEqual(client.ask("show channels count"), "\n0 total.\n")
        bench.advance(0.25)
        self.assertEqual(client.ask("show channels count"), "\n1 total.\n")
        client.ask("uuid_kill u")
        self.assertEqual(client.ask("uuid_exists u"), "false")
        self.assertEqual(client.ask("show channels count"), "\n1 total.\n")
        bench.advance(0.25)
        self.assertEqual(client.ask("show channels count"), "\n0 total.\n")

    def test_hupall_takes_only_matching_calls(self) -> None:
        bench = Bench({"default": {"talk": 60}})
        client = bench.client()
        for uuid, camp in (("a", "1"), ("b", "2"), ("c", "1")):
            text = f"{{origination_uuid={uuid},camp={camp}}}null/1 &park"
            client.send(f"bgapi originate {text}")
        client.send("api hupall MANAGER_REQUEST camp 1")
        self.assertEqual(sorted(bench.switch.calls), ["b"])

    def test_variables_can_be_read_and_set(self) -> None:
        client = self.dial({"talk": 60}, ",camp=42")
        self.assertEqual(client.ask("uuid_getvar u1 camp"), "42")
        self.assertEqual(client.ask("uuid_setvar u1 camp 43"), "+OK\n")
        self.assertEqual(client.ask("uuid_getvar u1 CAMP"), "43")
        self.assertEqual(client.ask("uuid_getvar u1 nosuch"), "_undef_")
        self.assertIn("variable_camp: 43\n", client.ask("uuid_dump u1"))


class Scripts(SynchronousTestCase):
    def test_the_order_of_looking_up(self) -> None:
        script = read_script(
            {
                "default": {"result": "no_answer"},
                "numbers": {"1390": {"result": "busy"}},
                "prefixes": {"13": {"status": 404}, "139": {"status": 480}},
                "patterns": [["9$", {"status": 603}]],
                "gateways": {"gw": {"status": 503}},
            }
        )
        chosen = [script.choose(n).status for n in ("1390", "1391", "1380", "159")]
        self.assertEqual(chosen, [486, 480, 404, 603])
        self.assertEqual(script.choose("1", "gw").status, 503)
        self.assertEqual(script.choose("1").result, "no_answer")

    @settings(deadline=None, max_examples=30)
    @given(st.permutations([f"138{at:04d}" for at in range(40)]), st.integers(0, 99))
    def test_chance_depends_on_seed_and_number_alone(self, numbers: list[str], seed: int) -> None:
        mix = [{"weight": 2, "result": "answer"}, {"weight": 1, "result": "busy"}]
        one, other = (read_script({"seed": seed, "mix": mix}) for _ in range(2))
        got = {number: one.choose(number) for number in numbers}
        self.assertEqual(got, {number: other.choose(number) for number in sorted(numbers)})

    def test_the_mix_is_near_its_weights(self) -> None:
        mix = [{"weight": 3, "result": "answer"}, {"weight": 1, "result": "busy"}]
        script = read_script({"seed": 1, "mix": mix})
        answered = sum(script.choose(str(at)).result == "answer" for at in range(4000))
        self.assertTrue(2900 < answered < 3100, answered)

    def test_bad_scripts_say_where(self) -> None:
        for document, place in (
            ({"numbers": {"1": {"resutl": "busy"}}}, "$.numbers.1[0]"),
            ({"default": {"result": "answered"}}, "$.default.result"),
            ({"mixx": []}, "mixx"),
            ({"mix": [{"job": "never"}]}, "$.mix[0].job"),
            ({"mix": [{"weight": "6"}]}, "$.mix[0].weight"),
            ({"default": {"status": True}}, "$.default.status"),
            ({"default": {"result": ["busy"]}}, "$.default.result"),
            ({"default": {"progress_after": -1}}, "$.default.progress_after"),
            ({"default": {"create_last": 1}}, "$.default.create_last"),
            ({"default": {"ring": None}}, "$.default.ring"),
            ({"default": {"lose": [3]}}, "$.default.lose"),
            ({"default": {"variables": None}}, "$.default.variables"),
            ({"seed": "7"}, "$.seed"),
            ({"phases": [[1800]]}, "$.phases"),
            ({"phases": [["soon", []]]}, "$.phases"),
            ({"patterns": ["1$"]}, "$.patterns"),
            ({"patterns": [["(", {}]]}, "$.patterns[0][0]"),
            ({"users": ["esl"]}, "$.users"),
        ):
            error = self.assertRaises(ScriptError, read_script, document)
            self.assertIn(place, str(error))
        self.assertRaises(ScriptError, read_behaviour, [])
