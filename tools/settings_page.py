"""The Sphinx directive ``settings-reference``: the tables of docs/settings.rst, made from the code.

Its content says what each key means, and nothing else::

    .. settings-reference::

       node.host
          The ``@host`` of this node's keys.

Type, default, bounds and the variables of the environment are read from ``ctidialer.settings``.  A
key without a meaning, or a meaning without a key, is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, get_args, get_origin

import msgspec
from attrs import frozen
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ctidialer import settings

TYPES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    tuple[str, ...]: "list of texts",
}
KEY = re.compile(r"[a-z]+\.[a-z_]+")


class MeaningError(ValueError):
    """The meanings and the keys of the settings do not go together."""


@frozen
class Setting:
    """One key as the code knows it; texts are reStructuredText."""

    section: str
    key: str
    kind: str
    default: str
    bounds: str
    environment: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its section and its name."""
        return f"{self.section}.{self.key}"


def all_settings() -> Iterator[Setting]:
    """Yield every key of the settings, in the order of the code."""
    for section in msgspec.structs.fields(settings.Settings):
        for field in msgspec.structs.fields(section.type):
            path = f"{section.name}.{field.name}"
            yield Setting(
                section.name,
                field.name,
                _kind(field.type),
                _literal(field.default),
                _bounds(path),
                _environment(section.name, field.name),
            )


def read_meanings(lines: Sequence[str]) -> dict[str, list[str]]:
    """Return the lines of each key's meaning; raises MeaningError."""
    meanings: dict[str, list[str]] = {}
    key = ""
    for line in lines:
        if line and not line.startswith(" "):
            key = line.strip()
            if not KEY.fullmatch(key) or key in meanings:
                raise MeaningError(f"{key!r} is no key, or stands there twice")
            meanings[key] = []
        elif key:
            meanings[key].append(line.strip())
    return meanings


def rows(meanings: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the tables, one a section, as reStructuredText; raises MeaningError."""
    known = list(all_settings())
    paths = {setting.path for setting in known}
    if odd := sorted(paths ^ set(meanings)):
        raise MeaningError(f"without a meaning, or without a key in the code: {', '.join(odd)}")
    lines: list[str] = []
    section = ""
    for setting in known:
        if setting.section != section:
            section = setting.section
            lines += _head(section)
        lines += _row(setting, meanings[setting.path])
    return lines


def _head(section: str) -> list[str]:
    return [
        "",
        f".. rubric:: [{section}]",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 28 72",
        "",
        "   * - Key",
        "     - Meaning",
    ]


def _row(setting: Setting, meaning: Sequence[str]) -> list[str]:
    kind = f"{setting.kind}, {setting.bounds}" if setting.bounds else setting.kind
    facts = f"*{kind}; default:* {setting.default}"
    if setting.environment:
        facts += f"; also ``{'``, ``'.join(setting.environment)}``"
    cells = [f".. _settings-{setting.section}-{setting.key}:", "", f"``{setting.key}``"]
    return [*_cell("   * - ", cells), *_cell("     - ", [*meaning, "", facts])]


def _cell(mark: str, lines: Sequence[str]) -> list[str]:
    first, *rest = lines
    return [mark + first, *(" " * 7 + line if line else "" for line in rest)]


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    return TYPES[kind]


def _literal(default: object) -> str:
    return "empty" if default in ("", ()) else f"``{default}``"


def _bounds(path: str) -> str:
    if path not in settings.BOUNDS:
        return ""
    most, may_be_zero = settings.BOUNDS[path]
    return f"{'from 0' if may_be_zero else 'above 0'}, up to {most:,.0f}"


def _environment(section: str, key: str) -> tuple[str, ...]:
    place = (section, key)
    return tuple(variable for variable, found in settings.SECRETS.items() if found == place)


class SettingsReference(SphinxDirective):
    """Puts the tables where it stands."""

    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Make the tables; what does not go together is an error of the page."""
        self.env.note_dependency(settings.__file__)
        try:
            lines = rows(read_meanings(list(self.content)))
        except MeaningError as error:
            raise self.error(str(error)) from error
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, source="settings"), self.content_offset, parent)
        made: list[nodes.Node] = parent.children
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("settings-reference", SettingsReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
