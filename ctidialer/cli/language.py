"""In which language the commands speak: ``ctidialer --lang zh``, else as the locale says.

What stands in JSON is the same in every language.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from ctidialer.rules.words import LANGUAGES, Language, Said, filled

VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Where POSIX says the language of messages; the first that is set counts."""

KEY = "ctidialer.language"


def locale_language(environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language of the locale; English unless that is Chinese."""
    named = next((environment[one] for one in VARIABLES if environment.get(one)), "")
    return "zh" if named.lower().startswith("zh") else "en"


def choose_language(context: click.Context, _: click.Parameter, given: str | None) -> None:
    """Keep the language for the command; a callback of the option ``--lang``."""
    known = next((one for one in LANGUAGES if one == given), None)
    context.meta[KEY] = known or locale_language()


def language() -> Language:
    """Return the language of the command that runs; without one English."""
    context = click.get_current_context(silent=True)
    chosen: Language = "en" if context is None else context.meta.get(KEY, "en")
    return chosen


def say(said: Said, **values: object) -> str:
    """Return a text in the language of the command, with its values; None = not there."""
    given = {name: str(value) for name, value in values.items() if value is not None}
    return filled(said.in_(language()), given)
