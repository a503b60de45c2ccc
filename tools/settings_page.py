"""The Sphinx directive ``settings-reference``: the tables of docs/settings.rst, made from the code.

Its content says what each key means, and nothing else::

    .. settings-reference::

       node.host
          The ``@host`` of this node's keys.

``:language: zh`` makes them in Chinese.  Type, default, bounds and the variables of the environment
are read from ``ctidialer.settings``.  A key without a meaning, or a meaning without a key, is an
error.
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
from ctidialer.contract.said import LANGUAGES, Language, Said, filled

TYPES: Mapping[Any, Said] = {
    str: Said("text", "文字"),
    int: Said("whole number", "整数"),
    float: Said("number", "数"),
    bool: Said("true or false", "true 或 false"),
    tuple[str, ...]: Said("list of texts", "文字列表"),
}
ONE_OF = Said("one of {words}", "{words} 之一")
BOUNDS_FROM = Said("{kind}, from 0, up to {most}", "{kind}，从 0 到 {most}")
BOUNDS_ABOVE = Said("{kind}, above 0, up to {most}", "{kind}，大于 0，最大 {most}")
EMPTY = Said("empty", "空")
FACTS = Said(
    "*{kind}; default:* {default}[; also {variables}]",
    "*{kind}；默认：* {default}[；也可用 {variables}]",
)
HEADS = (Said("Key", "键"), Said("Meaning", "含义"))
KEY = re.compile(r"[a-z]+\.[a-z_]+")


class MeaningError(ValueError):
    """The meanings and the keys of the settings do not go together."""


@frozen
class Setting:
    """One key as the code knows it; texts are reStructuredText."""

    section: str
    key: str
    kind: Said
    default: Said
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
                _bounded(path, _kind(field.type)),
                _literal(field.default),
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


def rows(meanings: Mapping[str, Sequence[str]], language: Language = "en") -> list[str]:
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
            lines += _head(section, language)
        lines += _row(setting, meanings[setting.path], language)
    return lines


def _head(section: str, language: Language) -> list[str]:
    return [
        "",
        f".. rubric:: [{section}]",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 28 72",
        "",
        f"   * - {HEADS[0].in_(language)}",
        f"     - {HEADS[1].in_(language)}",
    ]


def _row(setting: Setting, meaning: Sequence[str], language: Language) -> list[str]:
    facts = filled(
        FACTS.in_(language),
        {"kind": setting.kind.in_(language), "default": setting.default.in_(language)}
        | (
            {"variables": f"``{'``, ``'.join(setting.environment)}``"}
            if setting.environment
            else {}
        ),
    )
    prefix = "" if language == "en" else f"{language}-"
    label = f".. _{prefix}settings-{setting.section}-{setting.key}:"
    cells = [label, "", f"``{setting.key}``"]
    return [*_cell("   * - ", cells), *_cell("     - ", [*meaning, "", facts])]


def _cell(mark: str, lines: Sequence[str]) -> list[str]:
    first, *rest = lines
    return [mark + first, *(" " * 7 + line if line else "" for line in rest)]


def _kind(kind: Any) -> Said:
    if get_origin(kind) is not Literal:
        return TYPES[kind]
    return _each(ONE_OF, {"words": Said(", ".join(get_args(kind)), "、".join(get_args(kind)))})


def _literal(default: object) -> Said:
    return EMPTY if default in ("", ()) else Said(f"``{default}``", f"``{default}``")


def _bounded(path: str, kind: Said) -> Said:
    if path not in settings.BOUNDS:
        return kind
    most, may_be_zero = settings.BOUNDS[path]
    shown = Said(f"{most:,.0f}", f"{most:,.0f}")
    return _each(BOUNDS_FROM if may_be_zero else BOUNDS_ABOVE, {"kind": kind, "most": shown})


def _each(template: Said, values: Mapping[str, Said]) -> Said:
    """Return a template in both languages with the values in each."""
    english, chinese = (
        filled(template.in_(one), {name: said.in_(one) for name, said in values.items()})
        for one in LANGUAGES
    )
    return Said(english, chinese)


def _environment(section: str, key: str) -> tuple[str, ...]:
    place = (section, key)
    return tuple(variable for variable, found in settings.SECRETS.items() if found == place)


def _language(given: str) -> Language:
    return next(one for one in LANGUAGES if one == given)


class SettingsReference(SphinxDirective):
    """Puts the tables where it stands."""

    has_content: ClassVar[bool] = True
    option_spec: ClassVar[dict[str, Any]] = {"language": _language}

    def run(self) -> list[nodes.Node]:
        """Make the tables; what does not go together is an error of the page."""
        self.env.note_dependency(settings.__file__)
        try:
            language: Language = self.options.get("language", "en")
            lines = rows(read_meanings(list(self.content)), language)
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
