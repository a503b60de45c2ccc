"""The protocol on a connection: what the recordings leave open, and the faults on demand."""

from __future__ import annotations

import json
import signal

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.switchsim.replay import Bench, Client, Frame, split_frames

RING = {"default": {"progress": "ringing", "ring": 5.0}}


def names(frames: list[Frame]) -> list[str]:
    return [frame.header("Event-Name") for frame in frames if frame.is_event]


def texts(frames: list[Frame]) -> list[str]:
    return [dict(frame.head).get("Reply-Text", "") for frame in frames if not frame.is_event]


class Commands(SynchronousTestCase):
    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.integers(1, 40), max_size=30))
    def test_any_chunking_gives_the_same_answers(self, sizes: list[int]) -> None:
        octets = (
            b"\n\r\nauth ClueCon\n\nevent plain CUSTOM a::b\r\n\r\nsendevent CUSTOM\n"
            b"Event-Subclass: a::b\nContent-Length: 6\n\nhe\n\nlo\n\napi hostname\n\nbogus\n\n"
        )
        whole = self.answers(octets, [])
        self.assertEqual(whole[-1], "-ERR command not found")
        self.assertEqual(len(whole), 6)
        self.assertEqual(self.answers(octets, sizes), whole)

    def answers(self, octets: bytes, sizes: list[int]) -> list[str]:
        client = Bench().connect()
        for size in sizes:
            client.write(octets[:size])
            octets = octets[size:]
        client.write(octets)
        replies = [frame for frame in client.frames() if not frame.is_event]
        return [text.partition("+OK ")[0] for text in texts(replies)]

    def test_a_line_break_ends_the_command_and_the_rest_is_a_header(self) -> None:
        client = Bench().client()
        client.send("api echo a\napi echo b")
        bodies = [frame.body for frame in client.frames()]
        self.assertEqual(bodies, [b"a"])
        client.write(b"api echo a\n\napi echo b\n\n")
        self.assertEqual([frame.body for frame in client.frames()], [b"a", b"b"])

    def test_two_spaces_after_bgapi_fail(self) -> None:
        client = Bench().client("event plain BACKGROUND_JOB")
        client.send("bgapi  originate null/1 &park")
        self.assertEqual(client.events()[0].payload, b"-ERR  Command not found!\n")

    def test_jobs_are_told_to_every_listener(self) -> None:
        bench = Bench()
        asks, hears = bench.client(), bench.client("event plain BACKGROUND_JOB")
        asks.send("bgapi hostname\nJob-UUID: j1")
        self.assertEqual(asks.events(), [])
        self.assertEqual([event.header("Job-UUID") for event in hears.events()], ["j1"])

    def test_exit_waits_for_the_jobs_of_its_connection(self) -> None:
        bench = Bench(RING)
        client = bench.client("bgapi originate null/1 &park")
        client.send("exit")
        self.assertEqual(texts(client.frames()), ["+OK bye"])
        bench.advance(4.9)
        self.assertFalse(client.transport.disconnecting)
        bench.advance(0.2)
        self.assertTrue(client.transport.disconnecting)
        self.assertEqual([frame.type for frame in client.frames()], ["text/disconnect-notice"])

    def test_exit_does_not_wait_for_api_bgapi(self) -> None:
        client = Bench(RING).client("api bgapi uuid:j originate null/1 &park")
        client.send("exit")
        self.assertTrue(client.transport.disconnecting)

    def test_api_bgapi_as_freeswitch_reads_it(self) -> None:
        """Seen of a FreeSWITCH 1.11.1."""
        client = Bench().client("event plain BACKGROUND_JOB")
        for command, body in (
            ("uuid:j hostname", "vm"),
            ("uuid:j hostname  ", "vm"),
            ("UUID:j  hostname", ": Command not found!\n"),
            ("uuid:j nothing x", "nothing: Command not found!\n"),
        ):
            client.send(f"api bgapi {command}")
            answer, event = client.frames()
            self.assertEqual(answer.body, b"+OK Job-UUID: j\n")
            self.assertEqual(event.header("Job-UUID"), "j")
            self.assertTrue(event.body.endswith(b"\n\n" + body.encode()))
        for command in ("", "uuid:j", "uuid:j ", "  "):
            self.assertEqual(client.ask(f"bgapi {command}"), "-ERR Invalid syntax\n")
            self.assertEqual(client.events(), [])

    def test_a_user_with_a_list_may_not_use_api_bgapi(self) -> None:
        users = {"u@d": {"password": "p", "api": "bgapi hostname"}}
        client = Bench({"users": users}).connect()
        client.send("userauth u@d:p")
        client.transport.clear()
        client.send("api bgapi uuid:j hostname")
        client.send("api bgapi hostname")
        client.send("bgapi hostname\nJob-UUID: j")
        client.send("bgapi bgapi version")
        said = [text or "(run)" for text in texts(client.frames())]
        self.assertEqual(
            said,
            ["-ERR permission denied", "(run)", "+OK Job-UUID: j", "-ERR permission denied"],
        )

    def test_a_long_job_id_for_api_bgapi_ends_the_process(self) -> None:
        bench = Bench()
        client = bench.client()
        client.ask(f"bgapi uuid:{'j' * 256} hostname")
        self.assertEqual(bench.ended, [])
        client.send(f"api bgapi uuid:{'j' * 257} hostname")
        self.assertEqual(bench.ended, [-signal.SIGABRT])

    def test_calls_go_on_when_their_client_goes(self) -> None:
        bench = Bench(RING)
        client = bench.client("bgapi originate null/1 &park")
        client.listener.connectionLost()
        self.assertEqual(len(bench.switch.calls), 1)
        self.assertEqual(bench.switch.listeners, [])

    def test_an_unfinished_command_stops_events(self) -> None:
        bench = Bench({"default": {"talk": 0.1}})
        client, other = bench.client("event plain ALL"), bench.client()
        client.write(b"api sta")
        other.send("bgapi originate null/1 &park")
        bench.advance(1.0)
        self.assertEqual(client.frames(), [])
        client.write(b"tus\n\n")
        frames = client.frames()
        self.assertFalse(frames[0].is_event)
        self.assertEqual(names(frames)[0], "CHANNEL_CREATE")
        self.assertEqual(len(names(frames)), 6)

    def test_a_waiting_api_command_holds_up_its_connection_only(self) -> None:
        bench = Bench(RING)
        client, other = bench.client(), bench.client()
        client.write(b"api originate {origination_uuid=u}null/1 &park\n\napi echo after\n\n")
        self.assertEqual(client.frames(), [])
        self.assertEqual(other.ask("echo x"), "x")
        bench.advance(5.1)
        self.assertEqual([frame.body for frame in client.frames()], [b"+OK u\n", b"after"])

    def test_json_events_are_exact(self) -> None:
        client = Bench().client("event json CHANNEL_CREATE")
        client.send(r"bgapi originate {a=x%20y,b=q\"q,c[0]=1,c[1]=2}null/1 &park")
        event = json.loads(client.frames()[1].body)
        self.assertEqual(event["variable_a"], "x%20y")
        self.assertEqual(event["variable_b"], 'q"q')
        self.assertEqual(event["variable_c"], ["1", "2"])

    def test_plain_events_do_not_encode_an_encoded_value_again(self) -> None:
        client = Bench().client("event plain CHANNEL_CREATE")
        client.send(r"bgapi originate {a=x%20y,b=x\sy,c=%2f,d=日}null/1 &park")
        event = client.events()[0]
        self.assertEqual(event.header("variable_a"), "x%20y")
        self.assertEqual(event.header("variable_b"), "x%20y")
        self.assertEqual(event.header("variable_c"), "%252f")
        self.assertEqual(event.header("variable_d"), "%E6%97%A5")

    def test_content_length_counts_bytes(self) -> None:
        client = Bench().client()
        self.assertEqual(client.ask("echo 日本"), "日本")
        client.send("api echo 日本")
        self.assertEqual(dict(client.frames()[0].head)["Content-Length"], "6")

    def test_heartbeats_are_filtered_too(self) -> None:
        bench = Bench()
        bench.factory.faults.heart.start(1.0)
        hears = bench.client("event plain HEARTBEAT")
        deaf = bench.client("event plain HEARTBEAT", "filter Event-Name BACKGROUND_JOB")
        bench.advance(2.1)
        self.assertEqual(names(hears.frames()), ["HEARTBEAT", "HEARTBEAT"])
        self.assertEqual(deaf.frames(), [])

    def test_only_negative_filters_let_nothing_through(self) -> None:
        client = Bench().client("event plain ALL", "filter Event-Name - CHANNEL_CREATE")
        client.send("bgapi originate null/1 &park")
        self.assertEqual(client.events(), [])

    def test_filters_do_not_mind_case(self) -> None:
        client = Bench().client("event plain ALL", "filter VARIABLE_cti_Host FS1")
        client.send("bgapi originate {cti_host=fs1}null/1 &park")
        self.assertEqual(names(client.frames()), ["CHANNEL_CREATE", "CHANNEL_ANSWER"])

    def test_custom_events_come_by_subclass(self) -> None:
        client = Bench().client("event plain CUSTOM a::b")
        for subclass in ("a::b", "c::d"):
            client.send(f"sendevent CUSTOM\nEvent-Subclass: {subclass}\nX: 1")
        self.assertEqual([e.header("Event-Subclass") for e in client.events()], ["a%3A%3Ab"])


class Faults(SynchronousTestCase):
    def sim(self, client: Client, order: str) -> None:
        answer = client.ask(f"sim {order}")
        self.assertTrue(answer.startswith("+OK"), answer)

    def test_numbers_are_scripted(self) -> None:
        bench = Bench()
        client = bench.client("event plain BACKGROUND_JOB")
        self.sim(client, 'number 139 [{"result":"busy"},{"result":"answer"}]')
        self.sim(client, '{"gateway":{"gw":{"result":"gateway_down"}}}')
        for where in ("null/139", "null/139", "sofia/gateway/gw/1"):
            client.send(f"bgapi originate {where} &park")
        jobs = [event.payload[:10] for event in client.events()]
        self.assertEqual(jobs, [b"-ERR USER_", jobs[1], b"-ERR GATEW"])
        self.assertTrue(jobs[1].startswith(b"+OK"))

    def test_connections_are_dropped(self) -> None:
        bench = Bench()
        asks, other = bench.client(), bench.client()
        self.sim(asks, "drop fin others")
        bench.advance(0.1)
        self.assertTrue(other.transport.disconnecting)
        self.assertFalse(asks.transport.disconnecting)
        self.assertEqual(other.frames(), [])

    def test_a_muted_connection_neither_reads_nor_answers(self) -> None:
        bench = Bench()
        asks, other = bench.client(), bench.client("event plain ALL")
        self.sim(asks, "mute 2 others")
        bench.advance(0.1)
        other.send("api echo lost")
        asks.send("bgapi originate null/1 &park")
        bench.advance(1.0)
        self.assertEqual(other.frames(), [])
        bench.advance(2.0)
        self.assertEqual(other.ask("echo back"), "back")

    def test_replies_are_delayed(self) -> None:
        bench = Bench()
        client = bench.client()
        self.sim(client, "delay_replies 0.5")
        client.write(b"api echo 1\n\napi echo 2\n\n")
        bench.advance(0.4)
        self.assertEqual(client.frames(), [])
        bench.advance(0.7)
        self.assertEqual([frame.body for frame in client.frames()], [b"1", b"2"])

    def test_events_are_held_back(self) -> None:
        bench = Bench({"default": {"talk": 0.1}})
        client = bench.client("event plain ALL")
        self.sim(client, "pause_events on")
        client.send("bgapi originate null/1 &park")
        bench.advance(1.0)
        self.assertEqual(client.events(), [])
        client.send("api sim clear")
        self.assertEqual(len(client.events()), 6)

    def test_a_call_is_connected_when_it_is_ordered(self) -> None:
        bench = Bench({"default": {"talk": 60}})
        client = bench.client("event plain CHANNEL_BRIDGE")
        client.send("api originate {origination_uuid=abc}null/1 &park")
        bench.advance(1.0)
        self.assertNotIn("CHANNEL_BRIDGE", names(client.frames()))
        client.send("api sim bridge abc")
        self.assertIn("CHANNEL_BRIDGE", names(client.frames()))

    def test_stats_and_bad_orders(self) -> None:
        client = Bench().client("api originate null/1 &park")
        stats = json.loads(client.ask("sim stats")[4:])
        self.assertEqual((stats["calls"], stats["originates"]), (1, 1))
        self.assertEqual(stats["commands"]["originate"], 1)
        for order in (
            "",
            "nosuch 1",
            "mute x",
            "bridge nobody",
            'number 1 {"result":"x"}',
            "{broken",
        ):
            self.assertTrue(client.ask(f"sim {order}").startswith("-ERR sim"), order)


class Frames(SynchronousTestCase):
    def test_a_stream_cut_short_gives_its_whole_frames(self) -> None:
        stream = (
            b"Content-Type: auth/request\n\nContent-Type: api/response\nContent-Length: 5\n\nab"
        )
        self.assertEqual(len(split_frames(stream)), 1)
