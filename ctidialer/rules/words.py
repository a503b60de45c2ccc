"""The texts for one word of the daemon (a reason, a state), in both languages."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import field, frozen

from ctidialer.contract.said import LANGUAGES as LANGUAGES
from ctidialer.contract.said import NOTHING as NOTHING
from ctidialer.contract.said import Language as Language
from ctidialer.contract.said import Said as Said
from ctidialer.contract.said import Values as Values
from ctidialer.contract.said import filled as filled
from ctidialer.contract.said import named as named
from ctidialer.contract.said import needed as needed
from ctidialer.contract.said import values_in


class Tone(enum.Enum):
    """How serious a word is: the colour and the mark that it has on the dashboard."""

    GOOD = "good"
    WAIT = "wait"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


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
        return filled(said.in_(language), values_in(values, language))

    def can_say(self, form: str, values: Values) -> bool:
        """Whether this version knows the form, and has every value that the form must name."""
        said = self.forms.get(form)
        return said is not None and needed(said.en) <= values.keys()
