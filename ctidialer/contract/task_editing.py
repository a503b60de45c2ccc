"""One key of a task's document changed, and all else of the text kept as its author wrote it.

Pure text work: whether the new document is a valid task is for `contract.task_document` to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
from attrs import frozen
from msgspec import Raw

from ctidialer.contract.document import (
    BYTE_ORDER_MARK,
    FaultList,
    cut_free,
    member_path,
    read_json,
    shown,
)
from ctidialer.contract.fields import is_configured

Parts = TypeVar("Parts")

_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
_SECRET = re.compile(r"pass|secret|token|pin$", re.IGNORECASE)
_HIDDEN = "***"
_MAX_TOLD = 120  # characters of a value in one line for people
_LIST = msgspec.json.Decoder(list[Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_TEXT = msgspec.json.Decoder(str)


class NotEditable(ValueError):
    """A key that cannot be changed; the message says why and what to do."""


@frozen
class Setting:
    """A key and the JSON text that it shall have; ``value`` None = it is to be removed.

    ``path`` are the names that lead to it from the root: ``("params", "work_hour", "0", "begin")``.
    """

    path: tuple[str, ...]
    value: bytes | None = None

    @property
    def name(self) -> str:
        """The key as people write it: what is not said otherwise stands in ``params``."""
        return ".".join(self.path[1:] if self.path[0] == "params" else self.path)

    @property
    def json_path(self) -> str:
        """Where it stands, as faults name it."""
        return _json_path(self.path)

    @property
    def is_secret(self) -> bool:
        """Whether its value is one that no log may show: a password among the variables."""
        return self.path[0] == "variables" and _SECRET.search(self.path[-1]) is not None


@frozen
class Edit:
    """What a setting changes: the JSON texts before and after in the document of the Redis key
    ``key``; None = the key does not stand there."""

    setting: Setting
    key: str
    before: bytes | None
    after: bytes | None

    @property
    def changes(self) -> bool:
        """Whether there is a difference."""
        return self.before != self.after

    def told(self) -> str:
        """Return what changes, on one line, without secrets."""
        return f"{self.setting.name} {self.shown(self.before)} -> {self.shown(self.after)}"

    def shown(self, value: bytes | None) -> str:
        """Return a value for people: short, and none that is secret."""
        if value is None:
            return "(not set)"
        if self.setting.is_secret:
            return _HIDDEN
        text = value.decode("utf-8", "backslashreplace")
        return text if len(text) <= _MAX_TOLD else f"{text[:_MAX_TOLD]}…"


def read_setting(text: str) -> Setting:
    """Return what ``key=value`` says; raises NotEditable.

    The value is JSON, and where it is none, a text.  A key is one of ``params``; with
    ``variables.`` before it, a variable.  A dot leads into an object or a list.
    """
    name, separator, value = text.partition("=")
    if not separator:
        raise NotEditable(f"{shown(text)} is no KEY=VALUE")
    if not value.strip():
        raise NotEditable(
            f"{shown(name)} has no value: --unset {name} removes it,"
            f" {name}='\"\"' makes it an empty text"
        )
    return Setting(path_of(name), _as_json(value))


def path_of(name: str) -> tuple[str, ...]:
    """Return the path of a key as people write it; raises NotEditable."""
    place, _, rest = name.strip().partition(".")
    path: tuple[str, ...]
    if place == "variables":
        path = (place, rest)  # the name of a variable may have dots in it
    elif place == "params":
        path = (place, *rest.split("."))
    else:
        path = ("params", *name.strip().split("."))
    if not all(path):
        raise NotEditable(
            f"{shown(name)} is no key: one is written limit, work_hour.0.begin or variables.region"
        )
    return path


def _as_json(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    try:
        msgspec.json.decode(raw)
        return msgspec.json.format(raw, indent=-1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.encode(raw.decode("utf-8", "backslashreplace"))


def edited(raw: bytes | None, settings: Iterable[Setting], key: str = "") -> bytes:
    """Return a document with these settings; ``raw`` None = there was none.

    Raises ContractError if the document is malformed (``key`` is named as its place), NotEditable
    if a path leads through a value that has no such part.
    """
    text = b"{}" if raw is None else _plain(raw, key)
    for setting in settings:
        text = _put(Raw(text), setting, 0)
    return text


def standing(raw: bytes | None, path: tuple[str, ...], key: str = "") -> bytes | None:
    """Return the JSON text of a key in a document, None where it does not stand there.

    Raises ContractError if the document is malformed.
    """
    found: Raw | None = None if raw is None else Raw(_plain(raw, key))
    for name in path:
        if found is None:
            return None
        items, members = _items(found), _members(found)
        if items is not None:
            index = _index(name, items)
            found = None if index is None else items[index]
        else:
            found = None if members is None else members.get(name)
    return None if found is None else msgspec.json.format(bytes(found), indent=-1)


def is_set(value: bytes | None) -> bool:
    """Say whether a JSON text says anything: ``null`` and ``""`` do not."""
    return value is not None and is_configured(msgspec.json.decode(value))


def _plain(raw: bytes, key: str) -> bytes:
    """Return the text of an object, which may stand in a JSON string, or behind a mark."""
    faults = FaultList()
    value = read_json(raw, faults, key).value
    faults.settle()
    text = raw.removeprefix(BYTE_ORDER_MARK).lstrip()
    while isinstance(value, dict | list) and text.startswith(b'"'):
        text = cut_free(_TEXT.decode(text)).encode()
    return text


def _put(value: Raw, setting: Setting, depth: int) -> bytes:
    """Return ``value``, which stands ``depth`` names below the root, with the setting in it."""
    name, is_last = setting.path[depth], depth == len(setting.path) - 1
    items, members = _items(value), _members(value)
    if items is not None:
        index = _index(name, items)
        if index is None:
            raise NotEditable(
                f"{_json_path(setting.path[:depth])} is a list of {len(items)}: it has no item"
                f" {shown(name)} (the first one is 0)"
            )
        items[index : index + 1] = _parts(items[index], setting, depth, is_last)
        return msgspec.json.encode(items)
    if members is None:
        raise NotEditable(
            f"{_json_path(setting.path[:depth])} is no object or list: it has no part {shown(name)}"
        )
    old = members.get(name)
    new = [] if old is None and setting.value is None else _parts(old, setting, depth, is_last)
    if new:
        members[name] = new[0]
    else:
        members.pop(name, None)
    return msgspec.json.encode(members)


def _parts(old: Raw | None, setting: Setting, depth: int, is_last: bool) -> list[Raw]:
    """Return what stands in place of ``old``: one part, or none."""
    if not is_last:
        return [Raw(_put(Raw(b"{}") if old is None else old, setting, depth + 1))]
    return [] if setting.value is None else [Raw(setting.value)]


def _items(value: Raw) -> list[Raw] | None:
    """Return the items of a list; an empty one may be what PHP makes of an empty object."""
    return _as(value, _LIST.decode) or None


def _members(value: Raw) -> dict[str, Raw] | None:
    """Return the members of an object; None = it is none, nor anything that says nothing."""
    text = bytes(value).strip()
    return {} if text in (b"[]", b"null", b'""') else _as(value, _OBJECT.decode)


def _as(value: Raw, decode: Callable[[bytes], Parts]) -> Parts | None:
    try:
        return decode(bytes(value))
    except msgspec.ValidationError:
        return None


def _index(name: str, items: list[Raw]) -> int | None:
    return int(name) if _INDEX.fullmatch(name) and int(name) < len(items) else None


def _json_path(path: tuple[str, ...]) -> str:
    found = "$"
    for name in path:
        found = f"{found}[{name}]" if _INDEX.fullmatch(name) else member_path(found, name)
    return found
