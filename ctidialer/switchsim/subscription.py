"""What a connection has asked for: events, filters, format."""

from __future__ import annotations

from attrs import Factory, define

from ctidialer.switchsim.encoding import percent_decode, to_bytes
from ctidialer.switchsim.events import Event
from ctidialer.switchsim.resources import read_resource

EVENT_NAMES = frozenset(read_resource("event_names.txt").split())
PERMISSION_DENIED = "-ERR permission denied"
LOG_LEVELS = ("CONSOLE", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
_FORMATS = ("plain", "json", "xml")


@define
class Subscription:
    """Events, filters and log level of one connection.

    ``allowed_events`` is None where every event may be had.  ``format`` is the one asked for last,
    and holds for all.  ``log_level`` is -1 where no log lines were asked for.
    """

    format: str = "plain"
    listening: bool = False
    names: set[str] = Factory(set)
    subclasses: set[str] = Factory(set)
    every_subclass: bool = False
    filters: list[tuple[str, str]] = Factory(list)
    allowed_events: frozenset[str] | None = None
    log_level: int = -1

    def ask(self, words: list[str]) -> str:
        """Carry out ``event``; gives the reply's text."""
        if words and words[0].lower() in _FORMATS:
            self.format = words[0].lower()
            words = words[1:]
        keys = 0
        for at, word in enumerate(words):
            name = _event_name(word)
            if not name:
                continue
            if not self._may_have(name):
                return PERMISSION_DENIED
            keys += 1
            self._add(name)
            if name == "CUSTOM":
                self.subclasses.update(words[at + 1 :])
                break
        if not keys:
            return "-ERR no keywords supplied"
        self.listening = True
        return f"+OK event listener enabled {self.format}"

    def _may_have(self, name: str) -> bool:
        allowed = self.allowed_events
        return allowed is None or name in allowed or "ALL" in allowed

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

    def log(self, text: str) -> str:
        """Carry out ``log``; a number is taken as it is, a name by its place in `LOG_LEVELS`."""
        word = text.partition(" ")[0]
        name = word.upper() or "DEBUG"
        if not word.isdigit() and name not in LOG_LEVELS:
            return "-ERR invalid log level"
        self.log_level = int(word) if word.isdigit() else LOG_LEVELS.index(name)
        return f"+OK log level {word} [{self.log_level}]"

    def stop_log(self) -> str:
        """Carry out ``nolog``."""
        logging, self.log_level = self.log_level >= 0, -1
        return "+OK no longer logging" if logging else "-ERR not loging"

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
