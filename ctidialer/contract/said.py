"""Texts in both languages, and the sentences that are made of them.

A template has ``{names}`` that are replaced by values.  A part in ``[brackets]`` is left out unless
all values that it names are there: ``it is paused[ by {by}], until it is resumed``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from attrs import frozen

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

Values = Mapping[str, str]
"""What a sentence names; numbers and times as they are shown."""

_PART = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"\{(\w+)\}")


@frozen
class Said:
    """The same text, or template, in English and Chinese."""

    en: str
    zh: str

    def in_(self, language: Language) -> str:
        """Return the text in a language."""
        return self.zh if language == "zh" else self.en


NOTHING = Said("", "")


_IN_CHINESE = "_zh"


def as_values(name: str, said: Said) -> Values:
    """Return a value that is a text itself: it also stands in Chinese, as ``<name>_zh``."""
    return {name: said.en, name + _IN_CHINESE: said.zh}


def values_in(values: Values, language: Language) -> Values:
    """Return the values as a sentence in a language names them."""
    if language == "en" or not any(name.endswith(_IN_CHINESE) for name in values):
        return values
    chinese = {
        name.removesuffix(_IN_CHINESE): text
        for name, text in values.items()
        if name.endswith(_IN_CHINESE)
    }
    return {**values, **chinese}


def filled(template: str, values: Values) -> str:
    """Return a template with its values; one that is needed and not there is shown as ``?``."""
    # Hundreds of sentences are made every second: lists are quicker than generators here.
    texts: list[str] = []
    for names, pieces in _parsed(template):
        if not names or names <= values.keys():
            texts += [text if is_text else values.get(text, "?") for is_text, text in pieces]
    return "".join(texts)


def needed(template: str) -> frozenset[str]:
    """Return the names outside all brackets."""
    return frozenset(_NAME.findall(_PART.sub("", template)))


def named(template: str) -> frozenset[str]:
    """Return all names of a template."""
    return frozenset(_NAME.findall(template))


_Pieces = tuple[tuple[bool, str], ...]
_Parsed = tuple[tuple[frozenset[str], _Pieces], ...]


@cache
def _parsed(template: str) -> _Parsed:
    """Return the parts of a template: the names that each depends on, and its pieces."""
    parts = []
    for index, text in enumerate(_PART.split(template)):
        names = named(text) if index % 2 else frozenset()
        pieces = tuple((at % 2 == 0, one) for at, one in enumerate(_NAME.split(text)))
        parts.append((names, pieces))
    return tuple(parts)
