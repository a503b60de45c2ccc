"""One call as one safe ``originate`` command (docs/redis-contract.rst).

FreeSWITCH reads ``originate {variables}dialstring extension dialplan context`` in three passes:
split on spaces, split the braces on commas, split each variable on its first ``=``.  Every pass
takes off one layer of ``'`` and ``\\``.  A value is therefore written with three layers, the
destination's words with one, and what no layer can carry is refused as ``Uncarriable``:

* braces that do not balance, ``:_:``, a leading ``ARRAY::``, NUL, text that is no UTF-8;
* ``${``, also with backslashes between the two: FreeSWITCH drops such a variable silently.
  Placeholders (``ctidialer.contract.placeholders``) are filled in before that is looked at.

The dial string, where nothing can be quoted, is ``ctidialer.rules.dialstring``'s.  An extension may
be an inline application (``&park``, ``&playback(a b.wav)``), as FreeSWITCH itself reads it: who
writes tasks can name any extension anyway.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from attrs import field, frozen

from ctidialer.contract.placeholders import Fillable
from ctidialer.contract.problems import Problem, Told
from ctidialer.contract.task import Destination
from ctidialer.rules.dialstring import (
    CONTROL,
    LEG_SEPARATOR,
    RESERVED,
    Part,
    Uncarriable,
    balanced,
    filled_in,
    is_utf8,
    split_dialstring,
)

__all__ = ["Call", "Part", "Uncarriable", "originate_command"]

MAX_VARIABLES = 1000
"""FreeSWITCH splits one pair of braces into 1,024 parts; the rest becomes one value."""

MAX_COMMAND_BYTES = 2 * 1024 * 1024
"""FreeSWITCH reads about 1 MB/s and cuts a command at 10 MB."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_UUID = re.compile(r"[0-9A-Za-z+*#._~@:-]{1,200}")
_EXPANSION = re.compile(r"\$\\*\{")
_INLINE_APPLICATION = re.compile(r"&[A-Za-z0-9_]+(\([^()]*\))?")

_PLAIN = re.compile(r"[A-Za-z0-9_.+*#@/-]*")
"""Nearly every value: nothing in it that FreeSWITCH would read or that a layer would change."""

_RESERVED = frozenset(name.lower() for name in RESERVED)

_ONE_LAYER = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", " ": "\\s"}
)
_COMMA_LAYER = str.maketrans({"\\": "\\\\", "'": "\\'", ",": "\\,"})
_OUTER_LAYER = str.maketrans({"\\": "\\\\", "'": "\\'"})


@frozen
class Call:
    """Everything that one originate needs.

    ``dialstring`` is the template, ``${destination_number}`` and ``${line_group}`` not yet
    replaced.  ``variables`` is already merged.  ``line`` None = the default dial string, ``task``
    None = the call belongs to none: their variables are then not set.
    ``originate_timeout`` is in seconds, rounded up: FreeSWITCH takes whole ones.
    """

    uuid: str
    dialstring: str
    number: str
    group: str
    destination: Destination
    host: str
    variables: Mapping[str, str] = field(factory=dict)
    line: str | None = None
    task: str | None = None
    originate_timeout: float = 60.0


def originate_command(call: Call) -> str:
    """Return everything that stands behind ``originate ``, without a line end.

    The variables are in the order of their names, ours last.  Raises ``Uncarriable``.
    """
    _check_uuid(call.uuid)
    of_dialstring, legs = split_dialstring(filled_in(call.dialstring, call.number, call.group))
    variables = _all_variables(call, of_dialstring)
    words = [_braces(variables, call) + legs, *_destination_words(call.destination)]
    return _within_bounds(" ".join(words))


def _check_uuid(uuid: str) -> None:
    # The uuid stands bare in later commands (uuid_exists, uuid_kill), where nothing is quoted.
    if not _UUID.fullmatch(uuid):
        raise Uncarriable(Part.UUID, Problem.UNFIT_CALL_UUID.of(value=repr(uuid[:80])))


def _within_bounds(command: str) -> str:
    # The encoders leave no line end; a second look is cheap, and a miss would be a command.
    if "\n" in command or "\r" in command or "\0" in command:
        raise Uncarriable(Part.COMMAND, Problem.RAW_LINE_END.of())
    if len(command.encode()) > MAX_COMMAND_BYTES:
        raise Uncarriable(Part.COMMAND, Problem.COMMAND_TOO_LONG.of(most=MAX_COMMAND_BYTES))
    return command


def _all_variables(call: Call, of_dialstring: Mapping[str, str]) -> dict[str, str]:
    """Return all variables: defaults, then the merged and the dial string's own, then ours."""
    ours = _ours(call)
    merged = _without_case_twins(
        [*_defaults(call), *call.variables.items(), *of_dialstring.items()]
    )
    theirs = {name: merged[name] for name in sorted(merged) if name.lower() not in _RESERVED}
    return theirs | ours


def _without_case_twins(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keep the last of the names that differ only in case, as FreeSWITCH would.

    An empty value is no opinion (docs/redis-contract.rst): what a lower level says stands.
    """
    last = {name.lower(): (name, value) for name, value in pairs if value != ""}
    return dict(last.values())


def _defaults(call: Call) -> tuple[tuple[str, str], ...]:
    timeout = max(1, math.ceil(call.originate_timeout))
    return (("ignore_early_media", "true"), ("originate_timeout", str(timeout)))


def _ours(call: Call) -> dict[str, str]:
    values = (
        call.task,
        call.number,
        call.line,
        call.group,
        call.host,
        call.uuid,
    )
    return {name: value for name, value in zip(RESERVED, values, strict=True) if value}


def _braces(variables: Mapping[str, str], call: Call) -> str:
    if len(variables) > MAX_VARIABLES:
        problem = Problem.TOO_MANY_VARIABLES.of(count=len(variables), most=MAX_VARIABLES)
        raise Uncarriable(Part.VARIABLE, problem)
    written = [_assignment(name, value, call) for name, value in variables.items()]
    return "{" + ",".join(written) + "}"


def _assignment(name: str, value: str, call: Call) -> str:
    if not _NAME.fullmatch(name):
        problem = Problem.NO_CHANNEL_VARIABLE.of(value=repr(name[:80]))
        raise Uncarriable(Part.VARIABLE, problem)
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    if isinstance(value, Fillable):
        value = value.filled(_values(call))
    if fault := _value_fault(value):
        problem = Problem.UNFIT_VALUE.of(name=name[:80], problem=fault)
        raise Uncarriable(Part.VARIABLE, problem)
    layers = value.translate(_ONE_LAYER).translate(_COMMA_LAYER).translate(_OUTER_LAYER)
    return f"{name}={layers}"


def _values(call: Call) -> dict[str, str]:
    """Return what placeholders stand for; what the call has not (a line, say) is empty."""
    values = dict.fromkeys(RESERVED, "") | _ours(call)
    return values | {"uuid": call.uuid, "destination_number": call.number}


def _value_fault(value: str) -> Told | None:
    """Say why FreeSWITCH would not take a value unchanged; None = it would."""
    if "\0" in value:
        return Problem.NUL_UNSENT.of()
    if not is_utf8(value):
        return Problem.LONE_SURROGATE.of()
    if _EXPANSION.search(value):
        return Problem.EXPANSION.of(opening="${")
    if value.startswith("ARRAY::"):
        return Problem.ARRAY.of()
    if LEG_SEPARATOR in value:
        return Problem.SPLITS_DIALSTRING.of(separator=LEG_SEPARATOR)
    return None if balanced(value, "{", "}") else Problem.UNBALANCED_BRACES.of()


@lru_cache(maxsize=1024)  # a task has one destination for all its calls
def _destination_words(destination: Destination) -> tuple[str, str, str]:
    extension = destination.extension
    if extension.startswith("&") and not _INLINE_APPLICATION.fullmatch(extension):
        raise Uncarriable(Part.DESTINATION, Problem.NO_APPLICATION.of(value=repr(extension[:80])))
    return (
        _word("extension", extension),
        _word("dialplan", destination.dialplan),
        _word("context", destination.context),
    )


def _word(what: str, text: str) -> str:
    """Return one word of the command, with the one layer that the split on spaces takes off."""
    if not text.strip() or CONTROL.search(text) or not is_utf8(text):
        problem = Problem.NO_PLAIN_WORD.of(what=what, value=repr(text[:80]))
        raise Uncarriable(Part.DESTINATION, problem)
    if text.strip().lower() == "undef":
        raise Uncarriable(Part.DESTINATION, Problem.WORD_UNDEF.of(what=what))
    return text.translate(_ONE_LAYER)
