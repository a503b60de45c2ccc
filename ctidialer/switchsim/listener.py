"""The Event Socket's protocol on one connection, as FreeSWITCH speaks it in inbound mode."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from ctidialer.switchsim.api import Api
from ctidialer.switchsim.encoding import to_bytes, to_text
from ctidialer.switchsim.events import Event
from ctidialer.switchsim.faults import Faults
from ctidialer.switchsim.subscription import NotAllowed, Subscription
from ctidialer.switchsim.switch import LOG_LEVELS, Switch

AUTH_TIMEOUT = 25.0
_LONGEST_COMMAND = 10_485_760
_END = re.compile(rb"\n\r*\n")
_GOODBYE = b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
_SHUT_DOWN = b"The system is being shut down.\n"
_DENIED = "-ERR permission denied"
_LEVELS = {name.lower(): level for level, name in enumerate(LOG_LEVELS)}


def disconnect_notice(text: bytes) -> bytes:
    """Give the frame with which FreeSWITCH says goodbye."""
    return b"Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%b" % (len(text), text)


class EventSocketListener(Protocol):
    """One client.  Commands run in order; while one is unfinished, events wait (recording 81)."""

    def __init__(self, switch: Switch, api: Api, faults: Faults, number: int) -> None:
        self.number = number
        self.subscription = Subscription()
        self.muted = False
        self._switch = switch
        self._api = api
        self._faults = faults
        self._buffer = bytearray()
        self._held: list[bytes] = []
        self._running = True
        self._authenticated = False
        self._waiting = False
        self._log_level = -1
        self._may_log = True
        self._allowed_api: frozenset[str] | None = None
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
            text = b"Access Denied, go away.\n"
            self._send(b"Content-Type: text/rude-rejection\nContent-Length: 24\n\n" + text)
            self._finish()
            return
        self._switch.add_listener(self)
        self._auth_timer = self._switch.clock.callLater(AUTH_TIMEOUT, self._finish)
        self._send(b"Content-Type: auth/request\n\n")

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
        self._buffer += data
        self._run_commands()

    def _run_commands(self) -> None:
        """Run what is complete, one after the other."""
        while self._running and not self._waiting and not self.muted:
            packet = self._next_packet()
            if packet is None:
                break
            if self._switch.reply_delay > 0:
                self._wait(self._switch.reply_delay, packet)
            else:
                self._run(packet)
        self._deliver_held()

    def _wait(self, seconds: float, packet: bytes) -> None:
        self._waiting = True
        self._switch.clock.callLater(seconds, self._run_late, packet)

    def _run_late(self, packet: bytes) -> None:
        self._waiting = False
        if self._running:
            self._run(packet)
        self._run_commands()

    def _next_packet(self) -> bytes | None:
        skipped = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
        if skipped:
            del self._buffer[:skipped]
        found = _END.search(self._buffer)
        end = found.end() if found else 0
        if not found:
            if len(self._buffer) < _LONGEST_COMMAND:
                return None
            end = _LONGEST_COMMAND
        body = _body_length(bytes(self._buffer[:end]))
        if len(self._buffer) < end + body:
            return None
        packet = bytes(self._buffer[: end + body])
        del self._buffer[: end + body]
        return packet

    def _send(self, octets: bytes) -> None:
        if self.transport is not None and not self.muted:
            self.transport.write(octets)

    def _reply(self, text: str, more: str = "") -> None:
        frame = f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n"
        self._send(to_bytes(frame))

    def _finish(self) -> None:
        """Say goodbye and close; what comes in later is not looked at."""
        self._running = False
        self._stop_auth_timer()
        self._switch.remove_listener(self)
        self._send(disconnect_notice(_GOODBYE))
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
            self._send(disconnect_notice(_SHUT_DOWN))
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
        json = self.subscription.format == "json"
        payload, kind = (event.json, b"json") if json else (event.plain, b"plain")
        self._hold_or_send(
            b"Content-Length: %d\nContent-Type: text/event-%b\n\n%b" % (len(payload), kind, payload)
        )

    def take_log(self, level: int, header: bytes, text: bytes) -> None:
        """Deliver a log line, if the level was asked for."""
        if level <= self._log_level:
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

    def _run(self, packet: bytes) -> None:
        command = to_text(_first_line(packet))
        self._faults.asking = self.number
        if command.lower().startswith(("exit", "...")):
            self._exit()
        elif not self._authenticated:
            self._authenticate(command)
        else:
            self._run_authenticated(command, packet)

    def _authenticate(self, command: str) -> None:
        self._stop_auth_timer()
        if command.lower().startswith("auth "):
            accepted = command[5:] == self._switch.password
            self._authenticated = accepted
            self._reply("+OK accepted" if accepted else "-ERR invalid")
        elif command.lower().startswith("userauth "):
            accepted = self._authenticate_user(command[9:])
        else:
            self._reply("-ERR command not found")
            return
        if not accepted:
            self._finish()

    def _authenticate_user(self, text: str) -> bool:
        who, _, password = text.partition(":")
        user: dict[str, Any] = self._switch.script.users.get(who, {})
        if not user or user.get("password") != password:
            self._reply("-ERR invalid")
            return False
        events, api = str(user.get("events", "all")), str(user.get("api", "all"))
        self._may_log = bool(user.get("log", False))
        if events != "all":
            self.subscription.allowed_events = frozenset(events.split())
        if api != "all":
            self._allowed_api = frozenset(api.split())
        self._authenticated = True
        log = "true" if self._may_log else "false"
        more = f"Allowed-Events: {events}\nAllowed-API: {api}\nAllowed-LOG: {log}\n"
        self._reply("+OK accepted", more)
        return True

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

    def _run_authenticated(self, command: str, packet: bytes) -> None:
        verb = command.lower()
        if verb.startswith("api "):
            self._api_command(command[4:])
        elif verb.startswith("bgapi "):
            self._background(command[6:], packet)
        elif verb.startswith("sendevent"):
            self._send_event(command[9:].strip(" \t"), packet)
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
            return self._log_at(command[3:].strip(" "))
        if verb.startswith(("linger", "nolinger")):
            return "-ERR not controlling a session"
        if verb.startswith("nolog"):
            logging, self._log_level = self._log_level >= 0, -1
            return "+OK no longer logging" if logging else "-ERR not loging"
        if verb.startswith("event"):
            return self._events(words)
        if verb.startswith("nixevent"):
            return self.subscription.nix(words)
        if verb.startswith("noevents"):
            self._held.clear()
            return self.subscription.stop()
        return ""

    def _events(self, words: list[str]) -> str:
        try:
            return self.subscription.ask(words)
        except NotAllowed:
            return _DENIED
        finally:
            self._switch.formats_changed()

    def _log_at(self, text: str) -> str:
        if not self._may_log:
            return _DENIED
        word = text.partition(" ")[0]
        level = int(word) if word.isdigit() else _LEVELS.get(word.lower() or "debug", -1)
        if level < 0:
            return "-ERR invalid log level"
        self._log_level = level
        return f"+OK log level {word} [{level}]"

    def _may_run(self, name: str) -> bool:
        return self._allowed_api is None or name in self._allowed_api

    def _note_odd(self, name: str, line: str) -> None:
        if not self._api.knows(name):
            values = {"time": self._switch.now(), "connection": self.number, "line": line}
            self._switch.log.write("command", values)

    def _api_command(self, text: str) -> None:
        name, _, argument = text.partition(" ")
        if not self._may_run(name):
            self._reply(_DENIED)
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
        octets = to_bytes(text) or b"-ERR no reply\n"
        self._send(b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(octets), octets))

    def _answer_late(self, text: str) -> None:
        self._waiting = False
        if self._running:
            self._answer(text)
        self._run_commands()

    def _background(self, text: str, packet: bytes) -> None:
        name, _, argument = text.partition(" ")
        if not self._may_run(name):
            self._reply(_DENIED)
            return
        self._note_odd(name, f"bgapi {text}")
        job = dict(_headers(packet)).get("job-uuid", "")[:256] or self._switch.new_uuid()
        self._reply(f"+OK Job-UUID: {job}", f"Job-UUID: {job}\n")
        self._jobs += 1
        done: Deferred[None] = self._api.start_job(job, name, argument)
        done.addCallback(self._job_done)

    def _job_done(self, _: None) -> None:
        self._jobs -= 1
        self._finish_when_idle()

    def _send_event(self, name: str, packet: bytes) -> None:
        uuid = self._switch.new_uuid()
        headers = _headers(packet)
        subclass = dict(headers).get("event-subclass", "")
        lines = [pair for pair in _named_headers(packet) if pair[0].lower() != "event-subclass"]
        body = packet[len(packet) - _body_length(packet) :] if _body_length(packet) else None
        self._reply(f"+OK {uuid}")
        if name.upper() == "CUSTOM":
            first = [("Event-Subclass", subclass), ("Command", f"sendevent {name}")]
            self._switch.fire_custom(subclass, [*first, *lines, ("Event-UUID", uuid)], body)


def _first_line(packet: bytes) -> bytes:
    """Give the command as FreeSWITCH cuts it: at the first CR if there is any, else at the LF."""
    packet = packet.partition(b"\0")[0]
    at = packet.find(b"\r")
    at = packet.find(b"\n") if at < 0 else at
    return packet if at < 0 else packet[:at]


def _named_headers(packet: bytes) -> list[tuple[str, str]]:
    head = _END.split(packet, 1)[0]
    pairs = []
    for line in re.split(rb"[\r\n]+", head)[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            pairs.append((to_text(name), to_text(value.lstrip(b" "))))
    return pairs


def _headers(packet: bytes) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in _named_headers(packet)]


def _body_length(packet: bytes) -> int:
    if b"ontent-" not in packet:
        return 0
    text = dict(_headers(packet)).get("content-length", "")
    return int(text) if text.isdigit() else 0
