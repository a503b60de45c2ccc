"""Faults on demand: ``api sim …`` over the Event Socket itself.

Either JSON (an object of orders) or one order in words; the package's docstring has them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from ctidialer.switchsim.behaviour import ScriptError, read_behaviour, read_series
from ctidialer.switchsim.callcenter.book import Refused
from ctidialer.switchsim.callcenter.plan import read_work
from ctidialer.switchsim.heart import Heart
from ctidialer.switchsim.switch import Switch

_CLEARED = {"reply_delay": 0.0, "events_paused": False, "acl_refuses": False}


class Connections(Protocol):
    """The sockets, as far as faults are made on them."""

    def drop(self, how: str, *, keep: int | None) -> int:
        """Close connections with ``fin`` or ``rst``, all but number ``keep``; tell how many."""

    def mute(self, seconds: float, *, keep: int | None) -> int:
        """Stop reading and answering on connections for a time: half-open."""

    def refuse(self, seconds: float) -> None:
        """Refuse new connections for a time."""

    def resume_events(self) -> None:
        """Deliver what was held back while events were paused."""


class Faults:
    """Answers ``sim``.  Every answer begins with ``+OK`` or ``-ERR``."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.connections: Connections | None = None
        self.asking: int | None = None
        self.heart = Heart(switch)
        self._orders: dict[str, Callable[[object], str]] = {
            "number": self._script_number,
            "gateway": self._script_gateway,
            "known_gateways": self._known_gateways,
            "gateway_state": self._gateway_state,
            "default": self._script_default,
            "bridge": self._bridge,
            "drop": self._drop,
            "mute": self._mute,
            "refuse": self._refuse,
            "delay_replies": self._delay_replies,
            "pause_events": self._pause_events,
            "acl": self._acl,
            "max_sessions": self._max_sessions,
            "heartbeat": self._heartbeat,
            "agents": self._agents,
            "agent_stuck": self._agent_stuck,
            "members_stay": self._members_stay,
            "agent_calls_stay": self._agent_calls_stay,
            "work": self._work,
            "stats": self._stats,
            "clear": self._clear,
        }

    def command(self, argument: str) -> str:
        """Carry out one order in words, or a JSON object of orders."""
        try:
            orders = _read(argument)
            answers = [self._carry_out(name, value) for name, value in orders.items()]
        except (Refused, ValueError, TypeError, msgspec.DecodeError) as problem:
            return f"-ERR sim: {problem}\n"
        return answers[-1] if answers else "-ERR sim: no order given\n"

    def _carry_out(self, name: str, value: object) -> str:
        if name not in self._orders:
            raise ScriptError(f"unknown order {name!r}; known: {', '.join(self._orders)}")
        return self._orders[name](value)

    def _script_number(self, value: object) -> str:
        for number, behaviours in _object(value).items():
            self._switch.script.numbers[number] = read_series(behaviours, f"$.{number}")
        return "+OK\n"

    def _script_gateway(self, value: object) -> str:
        for gateway, behaviours in _object(value).items():
            self._switch.script.gateways[gateway] = read_series(behaviours, f"$.{gateway}")
        return "+OK\n"

    def _known_gateways(self, value: object) -> str:
        if value in ("", None):
            self._switch.gateways.clear()
        else:
            self._switch.gateways.set_all(value)
        return "+OK\n"

    def _gateway_state(self, value: object) -> str:
        if isinstance(value, str):
            name, _, state = value.partition(" ")
            value = {name: state}
        for name, one in _object(value).items():
            self._switch.gateways.set_one(name, one)
        return "+OK\n"

    def _script_default(self, value: object) -> str:
        self._switch.script.default = read_behaviour(value)
        self._switch.script.mix = ()
        return "+OK\n"

    def _bridge(self, value: object) -> str:
        call = self._switch.calls.get(str(value))
        if call is None:
            raise ScriptError(f"there is no call {value!r}")
        call.bridge()
        return "+OK\n"

    def _drop(self, value: object) -> str:
        words = str(value).split()
        how = "rst" if "rst" in words else "fin"
        keep = self.asking if "others" in words else None
        return f"+OK {self._sockets().drop(how, keep=keep)} dropped\n"

    def _mute(self, value: object) -> str:
        words = str(value).split()
        keep = self.asking if "others" in words else None
        return f"+OK {self._sockets().mute(_seconds(words[0]), keep=keep)} muted\n"

    def _refuse(self, value: object) -> str:
        self._sockets().refuse(_seconds(value))
        return "+OK\n"

    def _delay_replies(self, value: object) -> str:
        self._switch.reply_delay = _seconds(value)
        return "+OK\n"

    def _pause_events(self, value: object) -> str:
        self._switch.events_paused = _is_on(value)
        if not self._switch.events_paused:
            self._sockets().resume_events()
        return "+OK\n"

    def _acl(self, value: object) -> str:
        self._switch.acl_refuses = _is_on(value)
        return "+OK\n"

    def _max_sessions(self, value: object) -> str:
        self._switch.limits.max_sessions = int(_seconds(value))
        return "+OK\n"

    def _heartbeat(self, value: object) -> str:
        self.heart.start(_seconds(value))
        return "+OK\n"

    def _agents(self, value: object) -> str:
        """Give all agents, or those in an object, a status, as if each had set it himself."""
        book = self._switch.callcenter.book
        named = value if isinstance(value, dict) else dict.fromkeys(book.agents, value)
        for name, one in named.items():
            book.set_agent("status", name, str(one))
        return "+OK\n"

    def _agent_stuck(self, value: object) -> str:
        """Leave agents in a state that nothing ends; ``off`` lets one go on."""
        center = self._switch.callcenter
        if isinstance(value, str):
            value = dict([value.rsplit(" ", 1)])
        for name, state in _object(value).items():
            center.stuck.discard(name)
            center.book.set_agent("state", name, "Waiting" if state == "off" else str(state))
            if state != "off":
                center.stuck.add(name)
        return "+OK\n"

    def _members_stay(self, value: object) -> str:
        self._switch.callcenter.members_stay = int(_seconds(value))
        return "+OK\n"

    def _agent_calls_stay(self, value: object) -> str:
        self._switch.callcenter.agent_calls_stay = _is_on(value)
        return "+OK\n"

    def _work(self, value: object) -> str:
        self._switch.callcenter.work = read_work(_object(value), self._switch.callcenter.work)
        return "+OK\n"

    def _stats(self, value: object) -> str:
        stats = {
            "calls": len(self._switch.calls),
            "originates": self._switch.originates,
            "listeners": len(self._switch.listeners),
            "commands": dict(self._switch.counts),
        }
        return "+OK " + msgspec.json.encode(stats).decode() + "\n"

    def _clear(self, value: object) -> str:
        for name, calm in _CLEARED.items():
            setattr(self._switch, name, calm)
        self._switch.callcenter.end_faults()
        self._switch.script.numbers.clear()
        self._switch.script.gateways.clear()
        self._switch.gateways.clear()
        self._sockets().resume_events()
        return "+OK\n"

    def _sockets(self) -> Connections:
        if self.connections is None:
            raise ScriptError("this switch has no sockets")
        return self.connections


def _read(argument: str) -> dict[str, object]:
    text = argument.strip()
    if text.startswith("{"):
        return _object(msgspec.json.decode(text))
    name, _, rest = text.partition(" ")
    return {name: _value(rest.strip())} if name else {}


def _value(text: str) -> object:
    """Read a word order's value: ``NUMBER {behaviour}`` is an object of one, JSON is JSON."""
    first, _, rest = text.partition(" ")
    if rest.lstrip().startswith(("{", "[")) and not text.startswith(("{", "[")):
        return {first: msgspec.json.decode(rest)}
    return msgspec.json.decode(text) if text.startswith(("{", "[")) else text


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ScriptError(f"an object is wanted, not {value!r}")
    return value


def _seconds(value: object) -> float:
    return float(str(value))


def _is_on(value: object) -> bool:
    return str(value).lower() in ("1", "on", "true", "")
