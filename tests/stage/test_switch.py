"""The simulator as a process: it starts, tells its port, logs, and can be killed at any moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from ctidialer.stage.switch import SwitchFailed, SwitchProcess, start_switch
from ctidialer.switchsim.calllog import read_call_log

the_reactor: Any = reactor


class Caller(Protocol):
    """A client that waits for texts to arrive."""

    def __init__(self) -> None:
        self.received = b""
        self.lost: Deferred[type[BaseException] | None] = Deferred()
        self._awaited: list[tuple[bytes, Deferred[None]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        ready = [each for each in self._awaited if each[0] in self.received]
        for each in ready:
            self._awaited.remove(each)
            each[1].callback(None)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.lost.callback(reason.type)

    def until(self, text: bytes) -> Deferred[None]:
        arrived: Deferred[None] = Deferred()
        self._awaited.append((text, arrived))
        self.dataReceived(b"")
        return arrived

    def send(self, text: str) -> None:
        assert self.transport is not None
        self.transport.write(text.encode() + b"\n\n")


class ProcessCase(TestCase):
    kind = "integration"
    timeout = 120

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.running: list[SwitchProcess] = []

    async def tearDown(self) -> None:  # type: ignore[override]
        for process in self.running:
            await process.kill()

    async def start(self, script: dict[str, Any] | None = None, **options: object) -> SwitchProcess:
        process = await start_switch(the_reactor, self.directory, script, **options)
        self.running.append(process)
        return process

    async def call(self, process: SwitchProcess) -> Caller:
        endpoint = TCP4ClientEndpoint(the_reactor, "127.0.0.1", process.port)
        caller = Caller()
        await connectProtocol(endpoint, caller)
        caller.send("auth ClueCon")
        await caller.until(b"+OK accepted")
        return caller


class Processes(ProcessCase):
    async def test_it_tells_its_port_and_logs_each_originate(self) -> None:
        process = await self.start({"numbers": {"139": {"result": "busy"}}}, seed=7)
        caller = await self.call(process)
        caller.send("event plain BACKGROUND_JOB")
        caller.send(
            "bgapi originate {origination_uuid=u,v=a\\\\,b}sofia/gateway/g/139|null/1 8 XML c"
        )
        await caller.until(b"-ERR USER_BUSY")
        caller.send("api system rm -rf /")
        await caller.until(b"Command not found")
        log = read_call_log(process.log_path)
        line = log.originates[0]
        self.assertEqual(
            (line.uuid, line.number, line.legs, line.extension, line.context, line.variables),
            ("u", "139", 2, "8", "c", {"origination_uuid": "u", "v": "a,b"}),
        )
        (end,) = log.ends
        self.assertEqual((end.call, end.uuid), (line.call, "u"))
        self.assertEqual((end.answered, end.cause), (False, "USER_BUSY"))
        self.assertEqual([each.line for each in log.commands], ["api system rm -rf /"])

    async def test_answers_are_logged_where_that_is_wanted(self) -> None:
        for log_answers, expected in ((False, []), (True, ["u"])):
            process = await self.start({"default": {"talk": 0.05}}, log_answers=log_answers)
            caller = await self.call(process)
            caller.send("event plain CHANNEL_HANGUP")
            caller.send("bgapi originate {origination_uuid=u}null/1 &park")
            await caller.until(b"CHANNEL_HANGUP\n")
            await process.kill()
            answers = read_call_log(process.log_path).answers
            self.assertEqual([line.uuid for line in answers], expected)

    async def test_agents_are_hired_by_options_and_by_a_file(self) -> None:
        file = {"queues": ["sales@default"], "agents": 2, "handle_time": 0.2}
        for options in ({"agents": 2, "handle_time": 0.2}, {"callcenter": file}):
            process = await self.start(**options)
            caller = await self.call(process)
            caller.send("event plain CHANNEL_HANGUP_COMPLETE")
            caller.send("bgapi originate {origination_uuid=u}null/1 sales")
            await caller.until(b"variable_cc_agent: agent1%40default\n")
            await process.kill()
            log = read_call_log(process.log_path)
            self.assertEqual([line.agent for line in log.bridged], ["agent1@default"])
            self.assertEqual(len(log.answers), len(log.queued))
            process.log_path.unlink()

    async def test_kill_leaves_a_readable_log(self) -> None:
        process = await self.start({"default": {"talk": 60}})
        caller = await self.call(process)
        for at in range(200):
            caller.send(f"bgapi originate {{origination_uuid=u{at}}}null/{at} &park")
        await caller.until(b"Job-UUID")
        await process.kill()
        await caller.lost
        numbers = read_call_log(process.log_path).numbers
        self.assertEqual(numbers, tuple(str(at) for at in range(len(numbers))))

    async def test_a_second_start_goes_on_with_the_log(self) -> None:
        for _ in range(2):
            process = await self.start()
            caller = await self.call(process)
            caller.send("api originate error/USER_BUSY &park")
            await caller.until(b"-ERR USER_BUSY")
            await process.kill()
        self.assertEqual(len(read_call_log(process.log_path).originates), 2)

    async def test_sigterm_says_goodbye(self) -> None:
        process = await self.start({"default": {"talk": 60}})
        caller = await self.call(process)
        caller.send("event plain SHUTDOWN CHANNEL_HANGUP")
        caller.send("bgapi originate null/1 &park")
        await caller.until(b"Job-UUID")
        await process.stop()
        self.assertIs(await caller.lost, ConnectionDone)
        for text in (b"SHUTDOWN", b"SYSTEM_SHUTDOWN", b"The system is being shut down."):
            self.assertIn(text, caller.received)

    async def test_shutdown_now_and_undef_end_it_without_a_word(self) -> None:
        for command in ("api fsctl shutdown now", "bgapi originate null/1 undef"):
            process = await self.start()
            caller = await self.call(process)
            length = len(caller.received)
            caller.send(command)
            await caller.lost
            await process.ended()
            self.assertEqual(caller.received[length:].count(b"-ERR"), 0)

    async def test_connections_can_be_reset_and_refused(self) -> None:
        process = await self.start()
        caller, other = await self.call(process), await self.call(process)
        caller.send("api sim drop rst others")
        self.assertIs(await other.lost, ConnectionLost)
        caller.send("api sim refuse 3")
        await caller.until(b"+OK\n")
        with self.assertRaises(ConnectionRefusedError):
            await self.call(process)
        await self.listens_again(process)

    async def listens_again(self, process: SwitchProcess) -> None:
        """Wait until it takes connections; the test's own timeout ends this."""
        while True:
            try:
                await self.call(process)
                return
            except ConnectionRefusedError:
                await deferLater(the_reactor, 0.05)

    async def test_it_ends_with_its_parent(self) -> None:
        process = await self.start()
        assert process.transport is not None
        process.transport.closeStdin()
        await process.ended()

    async def test_a_bad_script_is_said(self) -> None:
        with self.assertRaises(SwitchFailed) as caught:
            await self.start({"numbers": {"1": {"result": "maybe"}}})
        self.assertIn("$.numbers.1[0].result", str(caught.exception))
        self.assertNotIn("Traceback", str(caught.exception))

    async def test_a_paused_process_is_silent_and_comes_back(self) -> None:
        process = await self.start()
        caller = await self.call(process)
        process.pause()
        caller.send("api echo still-here")
        await deferLater(the_reactor, 0.2)
        self.assertNotIn(b"still-here", caller.received)
        process.go_on()
        await caller.until(b"still-here")


class Logs(TestCase):
    def test_a_last_line_cut_short_is_skipped(self) -> None:
        path = Path(self.mktemp())
        path.write_text(
            '{"type":"end","time":1,"call":1,"uuid":"u","number":"1","answered":true,"cause":"X"}\n'
            '{"type":"originate","ti'
        )
        log = read_call_log(path)
        self.assertEqual((len(log.ends), len(log.originates)), (1, 0))
        self.assertEqual(read_call_log(Path("no-such-file")).numbers, ())
