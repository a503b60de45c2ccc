"""What a connection has asked for: events, filters, format."""

from __future__ import annotations

from attrs import Factory, define, frozen

from ctidialer.switchsim.encoding import percent_decode, to_bytes
from ctidialer.switchsim.events import Event
from ctidialer.switchsim.resources import read_resource

EVENT_NAMES = frozenset(read_resource("event_names.txt").split())
PERMISSION_DENIED = "-ERR permission denied"
LOG_LEVELS = ("CONSOLE", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
_FORMATS = ("plain", "json", "xml")
_NAME = b"\nEvent-Name: "


@frozen
class _Test:
    """A filter made ready: ``wanted`` in lower case, None where it can match nothing."""

    mark: bytes
    wanted: bytes | None
    positive: bool

    def matches(self, block: bytes) -> bool:
        """Say whether a header block has the header with the value."""
        if self.wanted is None:
            return False
        value = _value_behind(block, self.mark)
        return value is not None and (value == self.wanted or value.lower() == self.wanted)


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
    _tests: dict[str, list[_Test]] = Factory(dict)

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
        self._tests.clear()
        return f"+OK filter added. [{name}]=[{value}]"

    def _delete_filter(self, name: str, value: str) -> None:
        self._tests.clear()
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
        tests = self._tests.get(event.name)
        if tests is None:
            tests = self._tests[event.name] = _tests_for(event.name, self.filters)
        send = False
        for test in tests:
            if (send and test.positive) or not test.matches(event.block):
                continue
            if not test.positive:
                return False
            send = True
        return send


def _event_name(word: str) -> str:
    name = word.upper()
    if name in EVENT_NAMES:
        return name
    return name[13:] if len(name) > 13 and name[13:] in EVENT_NAMES else ""


def _tests_for(event: str, filters: list[tuple[str, str]]) -> list[_Test]:
    """Give the filters that can match an event: of those on Event-Name, its own (60, 62)."""
    tests = [_as_test(name, value) for name, value in filters]
    if event == "CUSTOM":  # does not begin with its name (86)
        return tests
    return [test for test in tests if test.mark != _NAME or test.wanted == event.lower().encode()]


def _as_test(name: str, value: str) -> _Test:
    wanted = value.lstrip("+- ")
    signs = value[: len(value) - len(wanted)].replace(" ", "")
    exact = None if wanted.startswith("/") else to_bytes(wanted).lower()
    return _Test(_mark(name), exact, not signs.endswith("-"))


def _mark(name: str) -> bytes:
    return b"\n%b: " % to_bytes(name)


def _value_behind(block: bytes, mark: bytes) -> bytes | None:
    if block.startswith(mark[1:]):
        at = len(mark) - 1
    else:
        at = block.find(mark)
        at = block.lower().find(mark.lower()) if at < 0 else at
        if at < 0:
            return None
        at += len(mark)
    return percent_decode(block[at : block.index(b"\n", at)])
