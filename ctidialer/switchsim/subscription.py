"""What a connection has asked for: events, filters, format."""

from __future__ import annotations

from attrs import Factory, define

from ctidialer.switchsim.encoding import percent_decode, to_bytes
from ctidialer.switchsim.events import Event
from ctidialer.switchsim.resources import read_resource

EVENT_NAMES = frozenset(read_resource("event_names.txt").split())
_FORMATS = ("plain", "json", "xml")


class NotAllowed(Exception):
    """The user may not have this event."""


@define
class Subscription:
    """Events and filters of one connection.

    ``allowed_events`` is None where every event may be had.  ``format`` is the one asked for last,
    and holds for all.
    """

    format: str = "plain"
    listening: bool = False
    names: set[str] = Factory(set)
    subclasses: set[str] = Factory(set)
    every_subclass: bool = False
    filters: list[tuple[str, str]] = Factory(list)
    allowed_events: frozenset[str] | None = None

    def ask(self, words: list[str]) -> str:
        """Carry out ``event``; gives the reply's text.  Raises `NotAllowed`."""
        if words and words[0].lower() in _FORMATS:
            self.format = words[0].lower()
            words = words[1:]
        keys = 0
        for at, word in enumerate(words):
            name = _event_name(word)
            if not name:
                continue
            self._allow(name)
            keys += 1
            self._add(name)
            if name == "CUSTOM":
                self.subclasses.update(words[at + 1 :])
                break
        if not keys:
            return "-ERR no keywords supplied"
        self.listening = True
        return f"+OK event listener enabled {self.format}"

    def _allow(self, name: str) -> None:
        allowed = self.allowed_events
        if allowed is not None and name not in allowed and "ALL" not in allowed:
            raise NotAllowed(name)

    def _add(self, name: str) -> None:
        if name == "ALL":
            self.names |= EVENT_NAMES
            self.every_subclass = True
        self.names.add(name)

    def nix(self, words: list[str]) -> str:
        """Carry out ``nixevent``."""
        keys = 0
        for at, word in enumerate(words):
            name = _event_name(word)
            if not name:
                continue
            keys += 1
            if name == "CUSTOM":
                self.subclasses.difference_update(words[at + 1 :])
                break
            self.names -= EVENT_NAMES if name == "ALL" else {name, "ALL"}
        if not keys:
            return "-ERR no keywords supplied"
        self.listening = True
        return "+OK events nixed"

    def stop(self) -> str:
        """Carry out ``noevents``."""
        if not self.listening:
            return "-ERR not listening for events"
        self.listening = self.every_subclass = False
        self.names.clear()
        self.subclasses.clear()
        return "+OK no longer listening for events"

    def filter(self, text: str) -> str:
        """Carry out ``filter``; ``text`` is what follows the word."""
        name, space, value = text.lstrip(" ").partition(" ")
        if name.lower() == "delete" and space:
            name, _, value = value.partition(" ")
            self._delete_filter(name, value)
            return f"+OK filter deleted. [{name}][{value}]"
        if not space:
            return "-ERR invalid syntax"
        if name.lower() == "add":
            name, _, value = value.partition(" ")
        self.filters.append((name, value))
        return f"+OK filter added. [{name}]=[{value}]"

    def _delete_filter(self, name: str, value: str) -> None:
        if name.lower() == "all":
            self.filters.clear()
        self.filters = [
            (each, text)
            for each, text in self.filters
            if each.lower() != name.lower() or (value and text.lower() != value.lower())
        ]

    def passes(self, event: Event) -> bool:
        """Say whether the filters let an event through: any match, unless a negative one."""
        if (
            event.name == "CUSTOM"
            and not self.every_subclass
            and event.subclass not in self.subclasses
        ):
            return False
        if not self.filters:
            return True
        send = False
        for name, value in self.filters:
            wanted = value.lstrip("+- ")
            signs = value[: len(value) - len(wanted)].replace(" ", "")
            positive = not signs.endswith("-")
            if (send and positive) or not _matches(event.block, name, wanted):
                continue
            if not positive:
                return False
            send = True
        return send


def _event_name(word: str) -> str:
    name = word.upper()
    if name in EVENT_NAMES:
        return name
    return name[13:] if len(name) > 13 and name[13:] in EVENT_NAMES else ""


def _matches(block: bytes, name: str, wanted: str) -> bool:
    if wanted.startswith("/"):
        return False
    value = header_of(block, name)
    return value is not None and value.lower() == to_bytes(wanted).lower()


def header_of(block: bytes, name: str) -> bytes | None:
    """Find a header's first value, decoded; the case of its name does not count."""
    mark = b"\n%b: " % to_bytes(name)
    if block.startswith(mark[1:]):
        at = len(mark) - 1
    else:
        at = block.find(mark)
        at = block.lower().find(mark.lower()) if at < 0 else at
        if at < 0:
            return None
        at += len(mark)
    return percent_decode(block[at : block.index(b"\n", at)])
