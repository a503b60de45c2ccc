"""Renders events: the header lists of ``channel_headers.txt`` made into templates, once a kind.

A channel's headers depend only on what happened to it so far (its *path*) and on a few facts (its
*tags*), so every such combination is put together once, kept, and filled in with one ``join`` for
each event: that is what makes thousands of calls a second possible.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from operator import itemgetter

from attrs import frozen

from ctidialer.switchsim.encoding import (
    SAFE,
    header_pairs,
    json_event,
    percent_encode,
    percent_encode_exactly,
    to_bytes,
)
from ctidialer.switchsim.resources import read_resource

Fields = dict[bytes, bytes]

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
class Event:
    """One event, rendered.

    ``block`` is its header block as plain events have it.  ``exact`` is the same encoded without
    loss, for JSON; empty where nobody wants JSON.  ``body`` is what follows the headers.
    """

    name: str
    block: bytes
    exact: bytes
    body: bytes | None = None
    subclass: str = ""

    @property
    def plain(self) -> bytes:
        """The frame's payload for ``event plain``."""
        if self.body is None:
            return self.block + b"\n"
        return b"%bContent-Length: %d\n\n%b" % (self.block, len(self.body), self.body)

    @property
    def json(self) -> bytes:
        """The frame's payload for ``event json``."""
        block = self.exact
        if self.body is not None:
            block += b"Content-Length: %d\n" % len(self.body)
        return json_event(header_pairs(block), self.body)


class EventWriter:
    """Gives events their common headers: identity, time and sequence number.

    ``identity`` holds ``core_uuid``, ``hostname``, ``switchname``, ``ipv4`` and ``ipv6``, encoded.
    While ``exact`` is set, events can be given as JSON too.
    """

    def __init__(self, identity: Mapping[bytes, bytes]) -> None:
        self._identity = dict(identity)
        self._second = -1
        self._dates: Fields = {}
        self.sequence = 0
        self.exact = False

    def stamp(self, fields: Fields, now: float) -> Fields:
        """Write the common fields of an event that happens at ``now`` (unix seconds)."""
        second = int(now)
        if second != self._second:
            self._second = second
            self._dates = {**self._identity, **_dates(second)}
        self.sequence += 1
        fields.update(self._dates)
        fields[b"now"] = b"%d" % int(now * 1_000_000)
        fields[b"sequence"] = b"%d" % self.sequence
        return fields

    def skip(self) -> None:
        """Count an event that nobody wants."""
        self.sequence += 1

    def channel_event(
        self,
        name: str,
        path: tuple[str, ...],
        tags: frozenset[str],
        fields: Fields,
        variables: Mapping[str, str],
        now: float,
    ) -> Event:
        """Render a channel's event; ``fields`` has the variables rendered for plain events."""
        template = channel_template(name, path, tags)
        block = template.fill(self.stamp(fields, now))
        if not self.exact:
            return Event(name, block, b"")
        exact = variable_lines(variables, exact=True)
        return Event(name, block, template.fill({**fields, b"variables": exact}))

    def event(
        self,
        name: str,
        headers: list[tuple[str, str]],
        now: float,
        body: bytes | None = None,
        *,
        by_api: bool = False,
    ) -> Event:
        """Render an event that is no channel's, from decoded headers."""
        base = base_template(name, by_api).fill(self.stamp({}, now))
        block = base + _header_lines(headers, exact=False)
        exact = base + _header_lines(headers, exact=True) if self.exact else b""
        return Event(name, block, exact, body)

    def custom_event(
        self, headers: list[tuple[str, str]], now: float, body: bytes | None, subclass: str
    ) -> Event:
        """Render a CUSTOM event: its own headers stand before the common ones (recording 86)."""
        base = base_template("CUSTOM").fill(self.stamp({}, now))
        plain, exact = _header_lines(headers, exact=False), _header_lines(headers, exact=True)
        return Event("CUSTOM", plain + base, exact + base, body, subclass)


def _header_lines(headers: list[tuple[str, str]], *, exact: bool) -> bytes:
    if not to_bytes("".join([text for _, text in headers])).translate(None, SAFE):  # as nearly all
        return to_bytes("".join([f"{name}: {text}\n" for name, text in headers]))
    encode = percent_encode_exactly if exact else percent_encode
    return b"".join(
        [b"%b: %b\n" % (to_bytes(name), encode(to_bytes(text))) for name, text in headers]
    )


def _dates(second: int) -> Fields:
    local, gmt = time.localtime(second), time.gmtime(second)
    return {
        b"date_local": time.strftime("%Y-%m-%d%%20%H%%3A%M%%3A%S", local).encode(),
        b"date_gmt": time.strftime("%a,%%20%d%%20%b%%20%Y%%20%H%%3A%M%%3A%S%%20GMT", gmt).encode(),
    }


@lru_cache(maxsize=1024)  # many calls share a second
def stamp_text(second: int) -> bytes:
    """Give a moment (unix seconds) as the ``*_stamp`` variables have it; empty for 0."""
    if not second:
        return b""
    moment = time.localtime(second)
    return time.strftime("%Y-%m-%d%%20%H%%3A%M%%3A%S", moment).encode()


def variable_lines(variables: Mapping[str, str], *, exact: bool = False) -> bytes:
    """Give a channel's variables as header lines."""
    headers = [(f"variable_{name}", text) for name, text in variables.items()]
    return _header_lines(headers, exact=exact)


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
    file, function, line = _BACKGROUND[by_api] if name == "BACKGROUND_JOB" else _SOURCES[name]
    lines = [f"Event-Name: {name}", *_lines("event", frozenset())]
    text = "\n".join(lines) + "\n"
    for key, value in (("{file}", file), ("{function}", function), ("{line}", str(line))):
        text = text.replace(key, value)
    return text


@cache
def channel_template(name: str, path: tuple[str, ...], tags: frozenset[str]) -> Template:
    """Give the template of a channel's event after the stages of ``path``."""
    if not path:
        return _as_template(_base_text(name) + "\n".join(_lines("bare channel", tags)) + "\n")
    variables, tags = _variables_after(path, tags)
    if name == "CHANNEL_HANGUP_COMPLETE":
        tags |= {"reported"}
    lines = _lines("bridge", tags) if name == "CHANNEL_BRIDGE" else []
    lines += _lines("channel", tags)
    lines += [line if line == "*" else f"variable_{line}" for line in variables]
    text = "\n".join(lines) + "\n"
    return _as_template(_base_text(name) + text.replace("*\n", "{variables}"))


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
