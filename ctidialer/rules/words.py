"""Texts in both languages, and the sentences that are made of them.

A template has ``{names}`` that are replaced by values.  A part in ``[brackets]`` is left out unless
all values that it names are there: ``it is paused[ by {by}], until it is resumed``.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from attrs import field, frozen

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

Values = Mapping[str, str]
"""What a sentence names; numbers and times as they are shown."""

_PART = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"\{(\w+)\}")


class Tone(enum.Enum):
    """How serious a word is: the colour and the mark that it has on the dashboard."""

    GOOD = "good"
    WAIT = "wait"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


@frozen
class Said:
    """The same text, or template, in English and Chinese."""

    en: str
    zh: str

    def in_(self, language: Language) -> str:
        """Return the text in a language."""
        return self.zh if language == "zh" else self.en


NOTHING = Said("", "")


@frozen
class Words:
    """All that is said of one word of the daemon.

    ``label`` is the word for people, ``meaning`` explains it in general, ``advice`` says what to do
    (both reStructuredText without links).  ``forms`` are the templates of the sentence that says
    how it is just now, by the name of the form; the usual one has an empty name.  ``tones`` are
    those of forms that are more, or less, serious.
    """

    tone: Tone
    label: Said
    meaning: Said
    forms: Mapping[str, Said] = field(factory=dict)
    advice: Said = NOTHING
    tones: Mapping[str, Tone] = field(factory=dict)

    def tone_of(self, form: str) -> Tone:
        """Return the tone of a form."""
        return self.tones.get(form, self.tone)

    def sentence(self, form: str, values: Values, language: Language = "en") -> str:
        """Return what is said; an unknown form (of another version) is taken as the usual one."""
        said = self.forms.get(form) or self.forms[""]
        return filled(said.in_(language), values)

    def can_say(self, form: str, values: Values) -> bool:
        """Whether this version knows the form, and has every value that the form must name."""
        said = self.forms.get(form)
        return said is not None and needed(said.en) <= values.keys()


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
