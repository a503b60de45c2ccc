"""The Event Socket's protocol on one connection, as FreeSWITCH speaks it in inbound mode."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from ctidialer.switchsim.access import Access, authenticate
from ctidialer.switchsim.api import Api
from ctidialer.switchsim.events import Event
from ctidialer.switchsim.faults import Faults
from ctidialer.switchsim.frames import (
    ACCESS_DENIED,
    AUTH_REQUEST,
    GOODBYE,
    SHUT_DOWN,
    api_response,
    command_reply,
    event_frame,
)
from ctidialer.switchsim.packets import Packet, PacketBuffer
from ctidialer.switchsim.subscription import PERMISSION_DENIED, Subscription
from ctidialer.switchsim.switch import Switch

AUTH_TIMEOUT = 25.0


class EventSocketListener(Protocol):
    """One client.  Commands run in order; while one is unfinished, events wait (recording 81)."""

    def __init__(self, switch: Switch, api: Api, faults: Faults, number: int) -> None:
        self.number = number
        self.subscription = Subscription()
        self.muted = False
        self._switch = switch
        self._api = api
        self._faults = faults
        self._buffer = PacketBuffer()
        self._held: list[bytes] = []
        self._running = True
        self._access: Access | None = None
        self._waiting = False
        self._jobs = 0
        self._auth_timer: IDelayedCall | None = None
        self.on_gone: Callable[[EventSocketListener], None] = lambda listener: None

    # The socket ----------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Greet, or turn the client away."""
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)
        if self._switch.acl_refuses:
            self._send(ACCESS_DENIED)
            self._finish()
            return
        self._switch.add_listener(self)
        self._auth_timer = self._switch.clock.callLater(AUTH_TIMEOUT, self._finish)
        self._send(AUTH_REQUEST)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the client; its background jobs go on."""
        self._running = False
        self._stop_auth_timer()
        self._switch.remove_listener(self)
        self.on_gone(self)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes in any chunks."""
        if not self._running or self.muted:
            return
        self._buffer.add(data)
        self._run_commands()

    def _run_commands(self) -> None:
        """Run what is complete, one after the other."""
        while self._running and not self._waiting and not self.muted:
            packet = self._buffer.take()
            if packet is None:
                break
            if self._switch.reply_delay > 0:
                self._wait(self._switch.reply_delay, packet)
            else:
                self._run(packet)
        self._deliver_held()

    def _wait(self, seconds: float, packet: Packet) -> None:
        self._waiting = True
        self._switch.clock.callLater(seconds, self._run_late, packet)

    def _run_late(self, packet: Packet) -> None:
        self._waiting = False
        if self._running:
            self._run(packet)
        self._run_commands()

    def _send(self, octets: bytes) -> None:
        if self.transport is not None and not self.muted:
            self.transport.write(octets)

    def _reply(self, text: str, more: str = "") -> None:
        self._send(command_reply(text, more))

    def _finish(self) -> None:
        """Say goodbye and close; what comes in later is not looked at."""
        self._running = False
        self._stop_auth_timer()
        self._switch.remove_listener(self)
        self._send(GOODBYE)
        if self.transport is not None:
            self.transport.loseConnection()

    def close(self, how: str) -> None:
        """End the connection from the switch's side: ``fin``, ``rst`` or ``notice``."""
        self._running = False
        self._switch.remove_listener(self)
        if self.transport is None:
            return
        if how == "rst" and ITCPTransport.providedBy(self.transport):
            self.transport.abortConnection()
            return
        if how == "notice":
            self._send(SHUT_DOWN)
        self.transport.loseConnection()

    # Events --------------------------------------------------------------------------------------

    def wants(self, name: str) -> bool:
        """Say whether events of this name were asked for."""
        return self.subscription.listening and name in self.subscription.names

    def wants_json(self) -> bool:
        """Say whether this listener takes JSON."""
        return self.subscription.listening and self.subscription.format == "json"

    def take(self, event: Event) -> None:
        """Deliver an event, if the filters let it through."""
        if not self.subscription.passes(event):
            return
        self._hold_or_send(event_frame(event, json=self.subscription.format == "json"))

    def take_log(self, level: int, header: bytes, text: bytes) -> None:
        """Deliver a log line, if the level was asked for."""
        if level <= self.subscription.log_level:
            self._hold_or_send(header + text)

    def _hold_or_send(self, frame: bytes) -> None:
        if self._buffer or self._waiting or self._switch.events_paused:
            self._held.append(frame)
        elif self._running:
            self._send(frame)

    def _deliver_held(self) -> None:
        if self._held and not (self._buffer or self._waiting or self._switch.events_paused):
            held, self._held = self._held, []
            if self._running:
                self._send(b"".join(held))

    def resume(self) -> None:
        """Deliver what was held back, and read on."""
        self.muted = False
        self._run_commands()

    # Commands ------------------------------------------------------------------------------------

    def _run(self, packet: Packet) -> None:
        self._faults.asking = self.number
        if packet.line.lower().startswith(("exit", "...")):
            self._exit()
        elif self._access is None:
            self._authenticate(packet.line)
        else:
            self._run_authenticated(packet, self._access)

    def _authenticate(self, command: str) -> None:
        self._stop_auth_timer()
        if not command.lower().startswith(("auth ", "userauth ")):
            self._reply("-ERR command not found")
            return
        access = authenticate(command, self._switch.password, self._switch.script.users)
        if access is None:
            self._reply("-ERR invalid")
            self._finish()
            return
        self._access = access
        self.subscription.allowed_events = access.events
        self._reply("+OK accepted", access.more_reply)

    def _stop_auth_timer(self) -> None:
        if self._auth_timer is not None and self._auth_timer.active():
            self._auth_timer.cancel()

    def _exit(self) -> None:
        """Reply at once; the notice and the end come after the pending jobs (recording 80)."""
        self._reply("+OK bye")
        self._running = False
        self._held.clear()
        self._switch.remove_listener(self)
        self._finish_when_idle()

    def _finish_when_idle(self) -> None:
        if not self._running and self._jobs == 0:
            self._finish()

    def _run_authenticated(self, packet: Packet, access: Access) -> None:
        command, verb = packet.line, packet.line.lower()
        if verb.startswith("api "):
            self._api_command(command[4:], access)
        elif verb.startswith("bgapi "):
            self._background(command[6:], packet, access)
        elif verb.startswith("sendevent"):
            self._send_event(command[9:].strip(" \t"), packet)
        elif verb.startswith("log") and not access.log:
            self._reply(PERMISSION_DENIED)
        else:
            self._reply(self._simple(verb, command) or self._unknown(command))

    def _unknown(self, command: str) -> str:
        values = {"time": self._switch.now(), "connection": self.number, "line": command}
        self._switch.log.write("command", values)
        return "-ERR command not found"

    def _simple(self, verb: str, command: str) -> str:
        """Give the reply of a command that answers at once; empty for an unknown one."""
        words = command.split(" ")[1:]
        if verb.startswith("filter "):
            return self.subscription.filter(command[7:])
        if verb.startswith("myevents "):
            return "+OK Events Enabled"
        if verb.startswith("divert_events"):
            return "-ERR not controlling a session."
        if verb.startswith("sendmsg"):
            return f"-ERR invalid session id [{command[7:].strip(' ')}]"
        if verb.startswith("log"):
            return self.subscription.log(command[3:].strip(" "))
        if verb.startswith(("linger", "nolinger")):
            return "-ERR not controlling a session"
        if verb.startswith("nolog"):
            return self.subscription.stop_log()
        if verb.startswith("event"):
            return self._changed(self.subscription.ask(words))
        if verb.startswith("nixevent"):
            return self._changed(self.subscription.nix(words))
        if verb.startswith("noevents"):
            self._held.clear()
            return self._changed(self.subscription.stop())
        return ""

    def _changed(self, reply: str) -> str:
        self._switch.subscriptions_changed()
        return reply

    def _note_odd(self, name: str, line: str) -> None:
        if not self._api.knows(name):
            values = {"time": self._switch.now(), "connection": self.number, "line": line}
            self._switch.log.write("command", values)

    def _api_command(self, text: str, access: Access) -> None:
        name, _, argument = text.partition(" ")
        if not access.may_run(name, argument):
            self._reply(PERMISSION_DENIED)
            return
        self._note_odd(name, f"api {text}")
        answer = self._api.run(name, argument)
        if isinstance(answer.text, str):
            self._answer(answer.text)
        else:
            self._waiting = True
            answer.text.addCallback(self._answer_late)
            answer.begin()

    def _answer(self, text: str) -> None:
        self._send(api_response(text))

    def _answer_late(self, text: str) -> None:
        self._waiting = False
        if self._running:
            self._answer(text)
        self._run_commands()

    def _background(self, text: str, packet: Packet, access: Access) -> None:
        name, _, argument = text.partition(" ")
        if not access.may_run(name, argument):
            self._reply(PERMISSION_DENIED)
            return
        self._note_odd(name, f"bgapi {text}")
        job = packet.header("job-uuid")[:256] or self._switch.new_uuid()
        self._reply(f"+OK Job-UUID: {job}", f"Job-UUID: {job}\n")
        self._jobs += 1
        done: Deferred[None] = self._api.start_job(job, name, argument)
        done.addCallback(self._job_done)

    def _job_done(self, _: None) -> None:
        self._jobs -= 1
        self._finish_when_idle()

    def _send_event(self, name: str, packet: Packet) -> None:
        uuid = self._switch.new_uuid()
        self._reply(f"+OK {uuid}")
        if name.upper() == "CUSTOM":
            subclass = packet.header("event-subclass")
            own = [pair for pair in packet.headers if pair[0].lower() != "event-subclass"]
            first = [("Event-Subclass", subclass), ("Command", f"sendevent {name}")]
            lines = [*first, *own, ("Event-UUID", uuid)]
            self._switch.fire_custom(subclass, lines, packet.body)
