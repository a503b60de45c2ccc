"""Renders events from templates: see `ctidialer.switchsim.templates`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen

from ctidialer.switchsim.encoding import (
    SAFE,
    header_pairs,
    json_event,
    percent_encode,
    percent_encode_exactly,
    to_bytes,
)
from ctidialer.switchsim.templates import (
    Fields,
    Source,
    base_template,
    channel_template,
    module_template,
)


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


@frozen
class Channel:
    """What an event tells of a channel."""

    path: tuple[str, ...]
    tags: frozenset[str]
    fields: Fields
    variables: Mapping[str, str]


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

    def module_event(
        self,
        subclass: str,
        source: Source,
        headers: list[tuple[str, str]],
        now: float,
        channel: Channel | None = None,
    ) -> Event:
        """Render an event of a module, with a channel's data in front of its headers (95)."""
        template, fields = module_template(subclass, source, None, frozenset()), {}
        if channel is not None:
            template = module_template(subclass, source, channel.path, channel.tags)
            fields = dict(channel.fields)
        block = template.fill(self.stamp(fields, now)) + _header_lines(headers, exact=False)
        if not self.exact:
            return Event("CUSTOM", block, b"", None, subclass)
        if channel is not None:
            fields[b"variables"] = variable_lines(channel.variables, exact=True)
        exact = template.fill(fields) + _header_lines(headers, exact=True)
        return Event("CUSTOM", block, exact, None, subclass)


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
