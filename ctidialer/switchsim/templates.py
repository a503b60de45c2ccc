"""The header lists of ``channel_headers.txt`` made into templates, once a kind.

A channel's headers depend only on what happened to it so far (its *path*) and on a few facts (its
*tags*), so every such combination is put together once, kept, and filled in with one ``join`` for
each event: that is what makes thousands of calls a second possible.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from operator import itemgetter

from attrs import frozen

from ctidialer.switchsim.resources import read_resource

Fields = dict[bytes, bytes]
Source = tuple[str, str, int]
"""The C file, function and line that an event says it comes from."""

_SOURCES = {
    "CHANNEL_CREATE": ("switch_core_state_machine.c", "switch_core_session_run", 626),
    "CHANNEL_PROGRESS": ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value", 3507),
    "CHANNEL_PROGRESS_MEDIA": (
        "switch_channel.c",
        "switch_channel_perform_mark_pre_answered",
        3562,
    ),
    "CHANNEL_ANSWER": ("switch_channel.c", "switch_channel_perform_mark_answered", 3848),
    "CHANNEL_BRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1893),
    "CHANNEL_HANGUP": ("switch_channel.c", "switch_channel_perform_hangup", 3447),
    "CHANNEL_HANGUP_COMPLETE": (
        "switch_core_state_machine.c",
        "switch_core_session_reporting_state",
        943,
    ),
    "CHANNEL_DESTROY": ("switch_core_session.c", "switch_core_session_perform_destroy", 1588),
    "CHANNEL_DATA": ("mod_commands.c", "uuid_dump_function", 6495),
    "HEARTBEAT": ("switch_core.c", "send_heartbeat", 95),
    "SHUTDOWN": ("switch_core.c", "switch_core_destroy", 3033),
    "CUSTOM": ("mod_event_socket.c", "parse_command", 2283),
}
_BACKGROUND = {
    False: ("mod_event_socket.c", "api_exec", 1580),
    True: ("mod_commands.c", "bgapi_exec", 5423),
}

# What a stage adds to a channel's variables, and the tags it sets before and after that.
_STAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "null created": (("null created",), ("null",)),
    "sofia created": (("sofia created",), ("sofia",)),
    "ringing": (("reply",), ("ringing",)),
    "early": (("reply", "remote sdp", "early"), ("early",)),
    "media": (("media", "early"), ("media",)),
    "answered": (("reply", "remote sdp", "media"), ("media", "answered")),
    "answered again": (("reply", "remote sdp"), ("media", "answered")),
    "null answered": ((), ("answered",)),
    "connected": (("connected",), ()),
    "routed": (("routed",), ("routed",)),
    "bye": (("bye",), ("bye",)),
    "refused": (("refused",), ("refused",)),
    "unreachable": (("refused",), ("unreachable",)),
    "cancelled": ((), ("cancelled",)),
    "send_bye": ((), ("send_bye",)),
    "ended": ((), ("ended",)),
    "reported": (("reported",), ()),
}
_FIELD = re.compile(r"\{(\w+)\}")
_REPLIES = frozenset({"ringing", "early", "answered", "refused"})


@frozen
class Template:
    """Header lines in pieces, every second one a place for one of the fields that ``pick`` takes.

    Joined, because a ``%`` over 200 names takes several times as long.
    """

    pieces: list[bytes]
    pick: Callable[[Fields], tuple[bytes, ...]]

    def fill(self, fields: Fields) -> bytes:
        """Give the header lines with their values."""
        pieces = self.pieces.copy()
        pieces[1::2] = self.pick(fields)
        return b"".join(pieces)


@cache
def base_template(name: str, by_api: bool = False) -> Template:
    """Give the template of the headers that every event begins with."""
    return _as_template(_base_text(name, by_api))


def _base_text(name: str, by_api: bool = False) -> str:
    source = _BACKGROUND[by_api] if name == "BACKGROUND_JOB" else _SOURCES[name]
    return _headed([f"Event-Name: {name}"], source)


def _headed(lines: list[str], source: Source) -> str:
    file, function, line = source
    lines = [*lines, *_lines("event", frozenset())]
    text = "\n".join(lines) + "\n"
    for key, value in (("{file}", file), ("{function}", function), ("{line}", str(line))):
        text = text.replace(key, value)
    return text


@cache
def channel_template(name: str, path: tuple[str, ...], tags: frozenset[str]) -> Template:
    """Give the template of a channel's event after the stages of ``path``."""
    if not path:
        return _as_template(_base_text(name) + "\n".join(_lines("bare channel", tags)) + "\n")
    return _as_template(_base_text(name) + _channel_text(name, path, tags))


@cache
def module_template(
    subclass: str, source: Source, path: tuple[str, ...] | None, tags: frozenset[str]
) -> Template:
    """Give the template of a module's event; ``path`` is None where it tells of no channel."""
    head = [f"Event-Subclass: {subclass.replace(':', '%3A')}", "Event-Name: CUSTOM"]
    channel = "" if path is None else _channel_text("", path, tags)
    return _as_template(_headed(head, source) + channel)


def _channel_text(name: str, path: tuple[str, ...], tags: frozenset[str]) -> str:
    variables, tags = _variables_after(path, tags)
    if name == "CHANNEL_HANGUP_COMPLETE":
        tags |= {"reported"}
    lines = _lines("bridge", tags) if name == "CHANNEL_BRIDGE" else []
    lines += _lines("channel", tags)
    lines += [line if line == "*" else f"variable_{line}" for line in variables]
    return ("\n".join(lines) + "\n").replace("*\n", "{variables}")


def _variables_after(
    path: tuple[str, ...], tags: frozenset[str]
) -> tuple[list[str], frozenset[str]]:
    held: dict[str, str] = {}
    for stage in path:
        sections, adds = _STAGES[stage]
        tags |= frozenset(adds)
        for section in sections:
            for line in _lines(section, tags):
                key = line.partition(":")[0]
                held.pop(key, None)
                held[key] = line
        if stage in _REPLIES:
            tags |= {"replied"}
    return list(held.values()), tags


def _lines(section: str, tags: frozenset[str]) -> list[str]:
    return [text for condition, text in _sections()[section] if _holds(condition, tags)]


def _holds(condition: str, tags: frozenset[str]) -> bool:
    parts = condition.split("&") if condition else []
    return all((part[1:] not in tags) if part[0] == "!" else (part in tags) for part in parts)


@cache
def _sections() -> dict[str, list[tuple[str, str]]]:
    text = read_resource("channel_headers.txt")
    sections: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line.startswith("?"):
            condition, _, rest = line[1:].partition(" ")
            current.append((condition, rest))
        elif line and not line.startswith("#"):
            current.append(("", line))
    return sections


def _as_template(text: str) -> Template:
    pieces = [piece.encode("ascii") for piece in _FIELD.split(text)]
    return Template(pieces, itemgetter(*pieces[1::2]))
