"""The API commands: what ``api NAME ARGUMENT`` answers."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred

from ctidialer.switchsim.causes import cause_from_text
from ctidialer.switchsim.dialstring import forget
from ctidialer.switchsim.encoding import percent_decode, to_bytes, to_text
from ctidialer.switchsim.faults import Faults
from ctidialer.switchsim.fields import set_variables
from ctidialer.switchsim.identity import VERSION, VERSION_FULL, VERSION_HUMAN
from ctidialer.switchsim.originate import originate
from ctidialer.switchsim.show import show, status
from ctidialer.switchsim.switch import Switch
from ctidialer.switchsim.tokens import separate

NO_CHANNEL = "-ERR No such channel!\n"

_FSCTL_USAGE = (
    "-ERR Invalid command\nUSAGE: fsctl [api_expansion [on|off]|recover|send_sighup|hupall|pause "
    "[inbound|outbound]|resume [inbound|outbound]|shutdown [cancel|elegant|asap|now|restart]|"
    "uuid_version [4|7]|sps|sps_peak_reset|sync_clock|sync_clock_when_idle|reclaim_mem|"
    "max_sessions|min_dtmf_duration [num]|max_dtmf_duration [num]|default_dtmf_duration [num]|"
    "min_idle_cpu|loglevel [level]|debug_level [level]|mdns_resolve [enable|disable]]\n"
)
_SHUTDOWN_NOW = 0
_JOB_BUFFER = 256
_WHITE = " \t\r\n\v"


@frozen
class Answer:
    """What a command answers: a text, now or later, the later one not before ``begin``.

    ``lost``: a job's event is never sent.
    """

    text: str | Deferred[str]
    lost: bool = False
    begin: Callable[[], None] = lambda: None


class Api:
    """The commands by name.  ``faults`` answers ``sim``."""

    def __init__(self, switch: Switch, faults: Faults) -> None:
        self._switch = switch
        self._due: list[tuple[str, str, str, bool, Deferred[None]]] = []
        self._commands: dict[str, Callable[[str], str | Answer]] = {
            "originate": self._originate,
            "bgapi": self._bgapi,
            "uuid_kill": self._uuid_kill,
            "uuid_transfer": self._uuid_transfer,
            "callcenter_config": switch.callcenter.config.run,
            "uuid_exists": self._uuid_exists,
            "uuid_dump": self._uuid_dump,
            "uuid_getvar": self._uuid_getvar,
            "uuid_setvar": self._uuid_setvar,
            "uuid_setvar_multi": self._uuid_setvar_multi,
            "hupall": self._hupall,
            "show": lambda argument: show(switch, argument),
            "status": lambda argument: status(switch),
            "sofia": switch.gateways.sofia,
            "fsctl": self._fsctl,
            "global_getvar": self._global_getvar,
            "hostname": lambda argument: switch.identity.hostname,
            "switchname": lambda argument: switch.identity.switchname,
            "version": self._version,
            "uptime": lambda argument: f"{int(switch.now() - switch.started_at)}\n",
            "strepoch": lambda argument: str(int(switch.now())),
            "create_uuid": lambda argument: switch.new_uuid(),
            "msleep": self._msleep,
            "echo": lambda argument: argument,
            "eval": self._expand,
            "sim": faults.command,
        }

    def knows(self, name: str) -> bool:
        """Say whether a command exists."""
        return name.lower() in self._commands

    def run(self, name: str, argument: str) -> Answer:
        """Run a command."""
        command = self._commands.get(name.lower())
        if command is None:
            return Answer(f"-ERR {name} Command not found!\n")
        self._switch.counts[name.lower()] += 1
        answer = command(argument)
        return Answer(answer) if isinstance(answer, str) else answer

    def start_job(
        self, job: str, name: str, argument: str, *, by_api: bool = False
    ) -> Deferred[None]:
        """Run a command as a background job; fires when its event has been sent."""
        done: Deferred[None] = Deferred()
        if not self._due:  # one timer for all that come in one turn of the reactor
            self._switch.clock.callLater(0, self._run_due)
        self._due.append((job, name, argument, by_api, done))
        return done

    def _run_due(self) -> None:
        due, self._due = self._due, []
        for job in due:
            self._run_job(*job)

    def _run_job(
        self, job: str, name: str, argument: str, by_api: bool, done: Deferred[None]
    ) -> None:
        answer = self.run(name, argument)
        if by_api and not self.knows(name):
            answer = Answer(f"{name}: Command not found!\n")

        def finish(text: str) -> None:
            if not answer.lost:
                self._switch.fire_job(job, name, argument, text, by_api=by_api)
            done.callback(None)

        if isinstance(answer.text, str):
            finish(answer.text)
        else:
            answer.text.addCallback(finish)
            answer.begin()

    def _originate(self, argument: str) -> Answer:
        started = originate(self._switch, argument)
        return Answer(started.text, started.lost, started.begin)

    def _bgapi(self, argument: str) -> str:
        command = argument = argument.strip(_WHITE)
        job = self._switch.new_uuid()
        if argument.lower().startswith("uuid:"):
            given, _, command = argument[5:].partition(" ")
            if len(to_bytes(given)) > _JOB_BUFFER:
                self._switch.end_process(-signal.SIGABRT)  # it writes past its buffer
            job = given or job
        if not command:
            return "-ERR Invalid syntax\n"
        name, _, rest = command.partition(" ")
        self.start_job(job, name, rest, by_api=True)
        return f"+OK Job-UUID: {job}\n"

    def _uuid_kill(self, argument: str) -> str:
        uuid, _, text = argument.partition(" ")
        if not uuid:
            return "-USAGE: <uuid> [cause]\n"
        cause = cause_from_text(text) if text else "NORMAL_CLEARING"
        call = self._switch.calls.get(uuid)
        if call is None:
            return "+OK\n" if self._switch.callcenter.kill_leg(uuid, cause) else NO_CHANNEL
        self._switch.clock.callLater(0, call.kill, cause)
        del self._switch.calls[uuid]
        return "+OK\n"

    def _uuid_exists(self, argument: str) -> str:
        return "true" if self._switch.callcenter.has_leg(argument) else "false"

    def _uuid_transfer(self, argument: str) -> str:
        words = separate(argument, " ", 5)
        uuid, words = words[0] if words else "", words[1:]
        if words and words[0].lower() in ("-aleg", "-bleg", "-both"):
            words = words[1:]
        if not words:
            return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
        call = self._switch.calls.get(uuid)
        if call is None:
            return NO_CHANNEL
        extension, dialplan, context = [*words, "", ""][:3]
        self._switch.clock.callLater(
            0, call.transfer, extension, dialplan or "XML", context or call.request.context
        )
        return "+OK\n"

    def _uuid_dump(self, argument: str) -> str:
        words = separate(argument, " ", 2)
        if not words:
            return "-USAGE: <uuid> [format]\n"
        call = self._switch.calls.get(words[0])
        if call is None:
            return NO_CHANNEL
        event = self._switch.channel_data(call)
        if words[1:] == ["json"]:
            return to_text(event.json)
        return to_text(event.plain)

    def _uuid_getvar(self, argument: str) -> str:
        words = separate(argument, " ", 3)
        if len(words) < 2:
            return "-USAGE: <uuid> <var>\n"
        call = self._switch.calls.get(words[0])
        if call is None:
            return NO_CHANNEL
        wanted = f"variable_{words[1]}: ".lower().encode()
        for line in self._switch.channel_data(call).exact.split(b"\n"):
            if line.lower().startswith(wanted):
                return to_text(percent_decode(line[len(wanted) :]))
        return "_undef_"

    def _uuid_setvar(self, argument: str) -> str:
        words = separate(argument, " ", 3)
        if len(words) < 2:
            return "-USAGE: <uuid> <var> [value]\n"
        return self._set_variables(words[0], [(words[1], words[2] if len(words) > 2 else "")])

    def _uuid_setvar_multi(self, argument: str) -> str:
        uuid, _, rest = argument.partition(" ")
        pairs = [pair.partition("=") for pair in separate(rest, ";")]
        if not pairs:
            return "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
        return self._set_variables(uuid, [(name, text) for name, _, text in pairs])

    def _set_variables(self, uuid: str, pairs: list[tuple[str, str]]) -> str:
        call = self._switch.calls.get(uuid)
        if call is None:
            return NO_CHANNEL
        for name, text in pairs:
            forget(call.request.variables, name)
            if text:
                call.request.variables[name] = text
        set_variables(call.fields, call.request)
        return "+OK\n"

    def _hupall(self, argument: str) -> str:
        words = separate(argument, " ", 11)
        cause = cause_from_text(words[0]) if words else "NONE"
        cause = "MANAGER_REQUEST" if cause == "NONE" else cause
        pairs = dict(zip(words[1::2], words[2::2], strict=False))
        self._switch.clock.callLater(0, self._switch.hang_up_all, cause, pairs)
        if not pairs:
            return f"+OK hangup all channels with cause {cause}\n"
        more = "..." if len(pairs) > 1 else ""
        first = f"[{words[1]}]=[{words[2]}]"
        return f"+OK hangup all channels matching {first}{more} with cause: {cause}\n"

    def _fsctl(self, argument: str) -> str | Answer:
        words = separate(argument, " ", 6)
        if not words:
            return _FSCTL_USAGE.replace("-ERR Invalid command\nUSAGE: fsctl", "-USAGE:")
        verb, rest = words[0].lower(), words[1:]
        direction = rest[0].lower() if rest and rest[0].lower() in ("inbound", "outbound") else ""
        if verb in ("pause", "resume"):
            return self._pause(direction, verb == "pause")
        if verb == "pause_check":
            return self._pause_check(direction)
        if verb == "shutdown":
            return self._shutdown([word.lower() for word in rest])
        if verb == "hupall":
            self._switch.hang_up_all("MANAGER_REQUEST")
            return "+OK\n"
        return self._fsctl_number(verb, rest)

    def _pause(self, direction: str, paused: bool) -> str:
        limits = self._switch.limits
        limits.paused_inbound = paused if direction != "outbound" else limits.paused_inbound
        limits.paused_outbound = paused if direction != "inbound" else limits.paused_outbound
        return "+OK\n"

    def _pause_check(self, direction: str) -> str:
        limits = self._switch.limits
        state = {"inbound": limits.paused_inbound, "outbound": limits.paused_outbound}
        return "true" if state.get(direction, limits.paused) else "false"

    def _shutdown(self, words: list[str]) -> str | Answer:
        if "now" in words:
            self._switch.end_process(_SHUTDOWN_NOW)
            return Answer(Deferred())
        if "cancel" not in words:
            self._switch.clock.callLater(0, self._switch.end_process, -signal.SIGTERM)
        return "+OK\n"

    def _fsctl_number(self, verb: str, rest: list[str]) -> str:
        limits, now = self._switch.limits, self._switch.now()
        found = re.match(r"[+-]?\d+", rest[0]) if rest else None
        number = int(found[0]) if found else 0
        if verb == "max_sessions":
            limits.max_sessions = number if number > 0 else limits.max_sessions
            return f"+OK max sessions: {limits.max_sessions}\n"
        if verb == "sps":
            if number > 0:
                limits.set_rate(number, now)
            return f"+OK sessions per second: {limits.per_second}\n"
        if verb == "last_sps":
            limits.left(now)
            return f"+OK last sessions per second: {limits.last_rate}\n"
        if verb == "loglevel":
            return f"+OK log level: {(rest or ['debug'])[0].upper()} [7]\n"
        return _FSCTL_USAGE

    def _global_getvar(self, argument: str) -> str:
        identity = self._switch.identity
        known = {"core_uuid": identity.core_uuid, "hostname": identity.hostname}
        known["switchname"] = identity.switchname
        return known.get(argument, "")

    def _version(self, argument: str) -> str:
        if argument == "short":
            return f"{VERSION}\n"
        return f"FreeSWITCH Version {VERSION_FULL} (git {VERSION_HUMAN.partition(' git ')[2]})\n"

    def _msleep(self, argument: str) -> Answer:
        done: Deferred[str] = Deferred()
        delay = int(argument) / 1000 if argument.isdigit() else 0.0
        self._switch.clock.callLater(delay, done.callback, "+OK")
        return Answer(done)

    def _expand(self, argument: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda found: self._global_getvar(found[1]), argument)
