"""The words of the daemon as the dashboard's ``static/reasons.js``: made from the tables of rules.

So a reason that is added there is on the page at once, in both languages and with its tone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ctidialer.rules.line_reasons import LINE_STATES, LINE_WORDS
from ctidialer.rules.reasons import Condition, Of, Reason
from ctidialer.rules.words import LANGUAGES, Language, Words

NAME = "reasons.js"

HEAD = "/* The reasons and line states of the daemon: made by it from its own table. */\n"


def reasons_js() -> bytes:
    """Return the file."""
    reasons = {reason.value: reason.words for reason in Reason}
    groups = {"reason": reasons, "line": LINE_WORDS}
    of_lines = ((state, LINE_WORDS[state]) for state in LINE_STATES)
    constants = {
        "WORDS": {language: _texts(groups, language) for language in LANGUAGES},
        "FORMS": {language: _forms(groups, language) for language in LANGUAGES},
        "TASK_REASONS": _tones(_of(Of.TASK)),
        "SCHEDULE_REASONS": _tones(_of(Of.SCHEDULE)),
        "NODE_REASONS": sorted({one.reason.value for one in Condition}),
        "FORM_TONES": {
            f"{one.value}.{form}": tone.value
            for one in Reason
            for form, tone in one.words.tones.items()
        },
        "LINE_STATES": _tones(of_lines),
        "LINE_TONES": _tones(LINE_WORDS.items()),
    }
    lines = (f"export const {name} = {_js(value)};\n" for name, value in constants.items())
    return (HEAD + "".join(lines)).encode()


def plain(text: str) -> str:
    """Return a text of the documentation as the page shows it."""
    return text.replace("``", "")


def _texts(groups: Mapping[str, Mapping[str, Words]], language: Language) -> dict[str, str]:
    """Return the words as ``en.js`` has them, by ``group.word``."""
    texts = {}
    for group, all_words in groups.items():
        for name, words in all_words.items():
            texts[f"{group}.{name}"] = words.label.in_(language)
            meaning = "meaning" if group == "reason" else f"{group}_meaning"
            texts[f"{meaning}.{name}"] = plain(words.meaning.in_(language))
            if advice := words.advice.in_(language):
                texts[f"advice.{name}"] = plain(advice)
    return texts


def _forms(
    groups: Mapping[str, Mapping[str, Words]], language: Language
) -> dict[str, dict[str, str]]:
    """Return the templates of the sentences, by ``group.word`` and form."""
    return {
        f"{group}.{name}": {form: said.in_(language) for form, said in words.forms.items()}
        for group, all_words in groups.items()
        for name, words in all_words.items()
    }


def _of(kind: Of) -> Iterable[tuple[str, Words]]:
    return ((one.value, one.words) for one in Reason if one.of in (kind, Of.BOTH))


def _tones(words: Iterable[tuple[str, Words]]) -> dict[str, str]:
    return {name: of.tone.value for name, of in words}


def _js(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
