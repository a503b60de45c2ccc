"""The simulator against the recordings of a real FreeSWITCH: same commands, same answers.

Compared are: all frames that are no events, byte for byte and in order; for each call and job its
events in order, the names of their headers in order, and all values but those named in `VOLATILE`.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.switchsim.behaviour import ScriptError, read_script
from tests.switchsim.replay import Bench, Frame, play, read_recording, recorded

# Values that tell of a moment, a machine, a media stream or a random choice.
VOLATILE = re.compile(
    r"Core-UUID|Event-Date-.*|Event-Sequence|Up-Time|Uptime-msec|Session-.*|Idle-CPU|.*-Time"
    r"|Caller-Transfer-Source|variable_(session_id|local_media_port|rtp_local_sdp_str|rtp_use_ssrc"
    r"|sip_full_.*|sip_recover_via|sip_(to|from)_tag|sip_cseq|sip_call_id|sip_reason"
    r"|.*_(stamp|epoch|uepoch)|[um]?duration|.*(sec|msec|usec)|transfer_(history|source)"
    r"|rtp_audio_.*|playback_.*)"
)
# The port of the gateway called, which the simulator does not know.
GATEWAY_PORT = re.compile(r"variable_sip_(destination_url|req_uri|to_host|from_host)")

STATUSES = (403, 404, 408, 480, 486, 500, 503, 603)
SCRIPT: dict[str, Any] = {
    "numbers": {
        "5551234": {"ring": 0.1, "talk": 0.2},
        "1801234": {"progress": "ringing", "progress_after": 0.02, "ring": 1.04, "talk": 1.0},
        "1831234": {"progress": "early", "progress_after": 0.02, "ring": 1.04, "talk": 1.0},
        "1841234": {
            "progress": "early",
            "progress_after": 0.02,
            "ring": 1.04,
            "result": "sip",
            "status": 486,
        },
        "7791234": {"ring": 0.02, "talk": 0},
        "1701234": {"progress": "ringing", "progress_after": 0.04, "result": "no_answer"},
        "q501234": {"result": "sip", "status": 503, "reason": 34, "ring": 0.02},
        "q171234": {"result": "sip", "status": 480, "reason": 17, "ring": 0.02},
        "1": {"talk": 60},
        "7771234": {"talk": 60, "ring": 0.04},
        "1002": {"progress": "ringing", "progress_after": 0.02, "result": "no_answer"},
    },
    "patterns": [[f"^{it}1234", {"result": "sip", "status": it, "ring": 0.02}] for it in STATUSES],
    "gateways": {
        "nosuchprofile": {"result": "invalid_profile"},
        "dead": {"result": "unreachable"},
        "blackhole": {"result": "silent"},
    },
    "known_gateways": {
        name: {"state": state, "proxy": f"127.0.0.1:{port}"}
        for name, state, port in (
            ("reggw", "down", 15077),
            ("pinggw", "up", 15071),
            ("downgw", "down", 15078),
            ("dead", "up", 15079),
            ("blackhole", "up", 15072),
            ("carrier2", "up", 15071),
            ("carrier1", "up", 15070),
        )
    },
    "users": {
        "esl@127.0.0.1": {
            "password": "limited",
            "events": "BACKGROUND_JOB CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE HEARTBEAT",
            "api": "status originate uuid_kill uuid_exists show",
        }
    },
}
# Calls of which everything must be as recorded.
WHOLE_CALLS = (
    "10_event_plain",
    "12_sofia_ok",
    "13_sofia_180",
    "14_sofia_183",
    "15_sofia_183",
    "17_sofia_183",
    "18_sofia_183",
    "19b_answer",
    "20_fail",
    "21_fail",
    "21c_fail",
    "23_fail",
    "24_fail",
    "24b_fail",
    "25_fail",
    "25b_fail",
    "26_fail",
    "26b_fail",
    "27b_fail",
    "28_fail",
    "28b_fail",
    "29_fail",
    "29b_fail",
    "30_fail",
    "31_fail",
    "31b_fail",
    "32_fail",
    "33_fail",
    "34_fail_403",
    "34_fail_408",
    "34_fail_500",
    "98_api_bgapi",
)
FILTERS = ("60_filter", "61_filter", "62_filter", "63_filter")
# A header of the far end's own invention, which the simulator does not make up.
UNKNOWN_HEADERS = {"variable_sip_rh_X-Carrier-Code"}


def replies(frames: list[Frame]) -> list[tuple[object, ...]]:
    """Take what is no event, comparable; ``status`` texts have their figures taken out."""
    kept = [frame for frame in frames if not frame.is_event and frame.type != "log/data"]
    return [_comparable(frame) for frame in kept]


def _comparable(frame: Frame) -> tuple[object, ...]:
    if frame.body.startswith(b"UP "):
        return frame.type, re.sub(rb"\d+|(?<=second)s|(?<=minute)s", b"", frame.body)
    return frame.head, frame.body


def by_call(frames: list[Frame]) -> dict[str, list[Frame]]:
    """Sort events by call and job; what FreeSWITCH sends unasked (gateways, heart) is left out."""
    sorted_frames: dict[str, list[Frame]] = {}
    for frame in frames:
        if frame.is_event:
            key = frame.header("Unique-ID") or frame.header("Job-UUID")
            sorted_frames.setdefault(key, []).append(frame)
    sorted_frames.pop("", None)
    return sorted_frames


class RecordedCalls(SynchronousTestCase):
    """Whole connections with one call each."""

    maxDiff = None

    def compare(self, name: str, script: dict[str, Any] = SCRIPT) -> None:
        real, simulated = recorded(name), play(name, script)
        self.assertEqual(replies(real), replies(simulated), name)
        wanted, got = by_call(real), by_call(simulated)
        self.assertEqual(set(wanted), set(got), name)
        for key, frames in wanted.items():
            self.compare_events(name, frames, got[key])

    def compare_events(self, name: str, wanted: list[Frame], got: list[Frame]) -> None:
        self.assertEqual(
            [frame.header("Event-Name") for frame in wanted],
            [frame.header("Event-Name") for frame in got],
            name,
        )
        for real, simulated in zip(wanted, got, strict=True):
            self.compare_headers(name, real, simulated)
            self.assertEqual(real.payload, simulated.payload, name)

    def compare_headers(self, name: str, real: Frame, simulated: Frame) -> None:
        place = f"{name} {real.header('Event-Name')}"
        names = [header for header, _ in real.headers if header not in UNKNOWN_HEADERS]
        self.assertEqual(names, [header for header, _ in simulated.headers], place)
        other_gateway = name in ("27b_fail", "33_fail")
        for header, value in real.headers:
            if VOLATILE.fullmatch(header) or header in UNKNOWN_HEADERS:
                continue
            if other_gateway and GATEWAY_PORT.fullmatch(header):
                continue
            self.assertEqual(value, simulated.header(header), f"{place} {header}")

    def test_every_event_and_reply_is_as_recorded(self) -> None:
        for name in WHOLE_CALLS:
            self.compare(name)

    def test_a_bridge_has_the_headers_that_were_recorded(self) -> None:
        talk = {"talk": 3, "ring": 0.04, "bridge": 0.3, "variables": {"cc_agent": "2001@default"}}
        script = {**SCRIPT, "numbers": {**SCRIPT["numbers"], "7771234": talk}}
        real, simulated = (
            [
                [name for name, _ in frame.headers if not name.startswith("variable_")]
                for frame in frames
                if frame.header("Event-Name") == "CHANNEL_BRIDGE"
            ]
            for frames in (recorded("19_bridge"), play("19_bridge", script))
        )
        self.assertEqual(simulated, real)

    def test_filters_let_through_what_they_did(self) -> None:
        for name in FILTERS:
            self.compare(name, {"default": {"talk": 0.02}})

    def test_the_sizes_are_realistic(self) -> None:
        for name in ("10_event_plain", "12_sofia_ok", "30_fail"):
            wanted, got = (
                sum(len(frame.body) for frames in by_call(each).values() for frame in frames)
                for each in (recorded(name), play(name, SCRIPT))
            )
            self.assertLess(abs(got / wanted - 1.0), 0.02, name)


class RecordedReplies(SynchronousTestCase):
    """Connections of which the answers count."""

    maxDiff = None

    def test_authentication_and_odd_commands(self) -> None:
        for name in ("01_auth", "02_auth", "03_unauth", "05_userauth", "06_misc"):
            self.assertEqual(replies(recorded(name)), replies(play(name, SCRIPT)), name)

    def test_pipelined_commands_are_answered_in_order(self) -> None:
        real, simulated = recorded("84_"), play("84_", SCRIPT)
        kinds = [[frame.type for frame in frames] for frames in (real, simulated)]
        self.assertEqual(*kinds)
        jobs = [
            [frame.header("Job-UUID") for frame in frames if frame.is_event]
            for frames in (real, simulated)
        ]
        self.assertEqual(*jobs)

    def test_channel_commands(self) -> None:
        """Recording 70 up to the commands that the simulator does not know."""
        real = replies(recorded("70_"))
        simulated = replies(play("70_", SCRIPT, until="api uuid_bridge"))
        detailed = {12, 13, 14, 15, 24, 25}
        self.assertGreater(len(simulated), 30)
        for at, answer in enumerate(simulated):
            if at not in detailed:
                self.assertEqual(real[at], answer, f"answer {at}")

    def test_show_has_the_recorded_columns(self) -> None:
        frames = [frame for frame in play("70_", SCRIPT) if not frame.is_event]
        real = [frame for frame in recorded("70_") if not frame.is_event]
        for at in (12, 14, 15):
            pattern = rb'"(\w+)":"'
            self.assertEqual(
                re.findall(pattern, real[at].body), re.findall(pattern, frames[at].body)
            )

    def test_the_auth_timeout_closes_the_connection(self) -> None:
        bench = Bench()
        client = bench.connect()
        bench.advance(24.0)
        self.assertFalse(client.transport.disconnecting)
        bench.advance(1.5)
        self.assertTrue(client.transport.disconnecting)
        self.assertEqual(replies(recorded("07_")), replies(client.frames()))

    def test_the_acl_turns_a_client_away(self) -> None:
        bench = Bench()
        bench.switch.acl_refuses = True
        client = bench.connect()
        self.assertEqual(replies(recorded("04_")), replies(client.frames()))
        self.assertTrue(client.transport.disconnecting)

    def test_undef_ends_the_process(self) -> None:
        bench = Bench()
        client = bench.client()
        for chunk in read_recording("97_")[1:]:
            if chunk.side == ">" and b"undef" in chunk.octets:
                client.write(chunk.octets)
        bench.advance(0.1)
        self.assertEqual(bench.ended, [-6])


class RecordedGateways(SynchronousTestCase):
    """Recording 73: what is told of gateways."""

    maxDiff = None
    # What tells of pings, registrations, calls and time: the simulated gateways have none.
    OF_THE_MOMENT = re.compile(
        r"(?mi)^((ping|pingfreq|pingtime|pingstate|state|uptime|(failed)?callsout)\s*\t).*$"
        r"|(<(ping\w*|state|uptime-usec|(failed-)?calls-out)>)[^<]*<|^ *<retry>.*\n"
        r"|\t(NOREG|FAIL_WAIT.*)$"
    )

    def told(self, frames: list[Frame]) -> list[str]:
        answers = [frame.body.decode() for frame in frames if frame.type == "api/response"]
        return [self.OF_THE_MOMENT.sub(r"\1\4", answer) for answer in answers]

    def test_every_question_is_answered_as_recorded(self) -> None:
        real = self.told(recorded("73_"))
        simulated = self.told(play("73_", SCRIPT))
        self.assertEqual(len(real), len(simulated))
        unknown_here = {9, 10}  # the state of a profile, and what would end a gateway
        for at, answer in enumerate(real):
            if at not in unknown_here:
                self.assertEqual(answer, simulated[at], f"answer {at}")

    def test_by_default_every_gateway_is_there(self) -> None:
        client = Bench().client()
        self.assertIn("Status  \tUP", client.ask("sofia status gateway any"))
        self.assertIn("<status>UP<", client.ask("sofia xmlstatus gateway external::any"))

    def test_gateways_come_and_go_while_it_runs(self) -> None:
        client = Bench().client("event plain BACKGROUND_JOB CHANNEL_DESTROY")

        def call() -> list[str]:
            client.send("bgapi originate sofia/gateway/a/1 &park")
            client.bench.advance(0.3)
            return [frame.payload.decode().strip() for frame in client.events()]

        self.assertTrue(call()[0].startswith("+OK"))
        for order, lost in (
            ("sim gateway_state a down", "-ERR GATEWAY_DOWN"),
            ("sim known_gateways b c", "-ERR INVALID_GATEWAY"),
            ('sim {"known_gateways": {"a": "down"}}', "-ERR GATEWAY_DOWN"),
            ("sim gateway_state a gone", "-ERR INVALID_GATEWAY"),
        ):
            self.assertEqual(client.ask(order), "+OK\n")
            self.assertEqual(call(), ["", lost], order)
        for order in ("sim gateway_state a up", "sim known_gateways", "sim clear"):
            client.ask("sim known_gateways none")
            self.assertEqual(client.ask(order), "+OK\n")
            self.assertTrue(call()[0].startswith("+OK"), order)

    def test_what_never_left_is_no_attempt(self) -> None:
        script = {"numbers": {"1": [{"result": "busy"}, {"talk": 60}]}}
        client = Bench(script).client("event plain BACKGROUND_JOB", "api sim gateway_state a down")
        for _ in range(2):
            client.send("bgapi originate sofia/gateway/a/1 &park")
        client.send("bgapi originate sofia/gateway/b/1 &park")
        client.bench.advance(0.3)
        said = [frame.payload.decode().strip() for frame in client.events()]
        self.assertEqual(said, ["-ERR GATEWAY_DOWN", "-ERR GATEWAY_DOWN", "-ERR USER_BUSY"])

    def test_states_that_there_are_not(self) -> None:
        client = Bench().client()
        for order in ("gateway_state a away", '{"known_gateways": 5}'):
            self.assertTrue(client.ask(f"sim {order}").startswith("-ERR sim: "), order)
        with self.assertRaisesRegex(ScriptError, r"\$\.known_gateways: a gateway is up"):
            read_script({"known_gateways": {"a": "away"}})


class RecordedRefusals(SynchronousTestCase):
    """What FreeSWITCH refuses under load, in order."""

    def jobs(self, frames: list[Frame]) -> list[bytes]:
        texts = [frame.payload for frame in frames if frame.header("Job-UUID")]
        return [re.sub(rb"\+OK .*", b"+OK", text) for text in texts]

    def logged(self, frames: list[Frame]) -> list[bytes]:
        lines = [frame.body for frame in frames if frame.type == "log/data"]
        return [line.partition(b"[CRIT] ")[2] for line in lines if b"_session.c" in line]

    def test_sessions_per_second(self) -> None:
        """Recording 41: of ``fsctl sps 5``, four a second; there were others before them."""
        real, simulated = recorded("41_"), play("41_", SCRIPT)
        self.assertEqual(sorted(self.jobs(real)), sorted(self.jobs(simulated)))
        self.assertEqual(len(self.logged(real)), len(self.logged(simulated)))

    def test_max_sessions(self) -> None:
        real, simulated = recorded("42_"), play("42_", SCRIPT)
        self.assertEqual(self.jobs(real), self.jobs(simulated))
        self.assertEqual(self.logged(real), self.logged(simulated))

    def test_pause(self) -> None:
        """Recording 43 up to the pause of one direction, where a loopback call hangs half-made."""
        until = "api fsctl pause inbound"
        real, simulated = recorded("43_"), play("43_", SCRIPT, until=until)
        self.assertEqual(self.jobs(real)[:8], self.jobs(simulated))
        self.assertEqual(replies(real)[: len(replies(simulated))], replies(simulated))

    def test_a_uuid_in_use(self) -> None:
        """Recording 40: null gives another uuid, sofia refuses."""
        real, simulated = recorded("40_"), play("40_", SCRIPT)
        self.assertEqual(self.jobs(real), self.jobs(simulated))
        uuid = "f56a32db-e28f-44ea-b99f-e1e1f9caa91c"
        given = [frame.payload for frame in simulated if frame.payload.startswith(b"+OK")]
        self.assertEqual([uuid.encode() in text for text in given], [True, False, False])


class RecordedKills(SynchronousTestCase):
    def test_killed_while_ringing(self) -> None:
        """Recording 71: the causes, the statuses, and that sip_term_status is absent."""
        real, simulated = by_call(recorded("71_")), by_call(play("71_", SCRIPT))
        for uuid in list(real)[:4]:
            for wanted, got in zip(real[uuid], simulated[uuid], strict=True):
                self.assertEqual(
                    [name for name, _ in wanted.headers], [name for name, _ in got.headers]
                )
                self.assertEqual(wanted.payload, got.payload)

    def test_the_shutdown_is_as_recorded(self) -> None:
        """Recording 91, in short form."""
        bench = Bench(SCRIPT)
        client = bench.client("event plain ALL", "bgapi originate {origination_uuid=u}null/1 &park")
        bench.advance(0.1)
        client.frames()
        bench.switch.shut_down()
        bench.advance(1.0)
        frames = client.frames()
        names = [frame.header("Event-Name") for frame in frames if frame.is_event]
        self.assertEqual(names[:2], ["SHUTDOWN", "CHANNEL_HANGUP"])
        real = next(f for f in recorded("91_") if f.header("Event-Name") == "SHUTDOWN")
        self.assertEqual([n for n, _ in real.headers], [n for n, _ in frames[0].headers])
        self.assertEqual(frames[1].header("Hangup-Cause"), "SYSTEM_SHUTDOWN")
        self.assertEqual(replies(recorded("91_"))[-1], replies(frames)[-1])
        self.assertTrue(client.transport.disconnecting)
