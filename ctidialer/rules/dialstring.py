"""The dial string of one call, with the number in it (docs/redis-contract.rst).

The number is the least trusted part, and it stands where nothing can be quoted.  So it may have
only a few kinds of characters, whatever ``number_pattern`` allows: ``,`` and ``|`` would add a leg;
``/``, ``%``, ``;`` and ``^`` would choose another gateway, domain or proxy.

The dial string itself is the operator's.  ``[leg_timeout=20]sofia/…`` and other ``${…}`` stay as
they are; ``{…}`` at its beginning is read as more variables of the line.  It must have one leg
only: FreeSWITCH gives the legs of ``a|b`` the same UUID one after the other, so the hang-up of the
first looks like the end of the call while the second rings, and the callee would be called twice.
White space, quotes and backslashes are refused: FreeSWITCH strips them in three passes, and a lone
quote would swallow the extension behind it.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator

from ctidialer.contract.problems import Problem, Told

RESERVED = (
    "cti_task_name",
    "cti_dial_number",
    "cti_line_name",
    "cti_line_group_name",
    "cti_host",
    "origination_uuid",
)
"""Variables that only ctidialer sets; FreeSWITCH ignores the case of their names."""

_PLAIN_LEG = re.compile(r"[A-Za-z0-9_.+*#@/-]+")
"""Nearly every filled-in dial string: one leg that none of the checks would refuse."""

_NUMBER = re.compile(r"[0-9A-Za-z+*#._~@:-]+")
_OUR_NUMBER, _OUR_GROUP = "${destination_number}", "${line_group}"
_OURS = re.compile(r"\$\{(destination_number|line_group)\}")
_GROUP_FORBIDDEN = re.compile(r"[\s,|{}\[\]<>'\"\\^$;=]")
_DIALSTRING_FORBIDDEN = re.compile(r"[\s'\\]")
_LEADING_BRACES = re.compile(r"\{([^{}]*)\}")
_LEG_BRACKETS = re.compile(r"\[([^\]]*)\]")
_MORE_LEGS = re.compile(r"[,|]")

_BEFORE_ENDPOINT = re.compile(r"^(?:\{[^{}]*\}|\[[^\]]*\])+")
_OTHER_NAME = re.compile(r"\$\{([A-Za-z_]+)\}")
_NAME_ALONE = re.compile(r"(?<![A-Za-z_])destination_number(?![A-Za-z_=])")
_MEANS_THE_NUMBER = frozenset(
    (
        *("number", "phone", "tel", "mobile", "called", "callee", "dest", "dst", "destination"),
        *("phonenumber", "destnumber", "dialnumber", "callednumber", "calleenumber", "exten"),
        *("destinationnumbers", "destnationnumber", "ctidialnumber", "desnumber"),
    )
)
"""Other names that people give the number, in lower case and without underscores."""

NUMBER = "${destination_number}"
"""Where the number stands in a dial string."""

_GATEWAY = f"sofia/gateway/NAME/{NUMBER}"
_NO_ENDPOINTS = {
    **dict.fromkeys(("usr", "users", "uesr", "ueser", "extension", "ext"), "user/1000"),
    **dict.fromkeys(("sip", "pjsip", "dahdi", "iax2", "gateway", "gw", "trunk"), _GATEWAY),
    **dict.fromkeys(("sofai", "sophia", "sofa", "sofia_gateway"), _GATEWAY),
    "local": f"loopback/{NUMBER}",
}
"""Endpoints that FreeSWITCH does not have (misspelt, or Asterisk's), and what is meant."""

CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
LEG_SEPARATOR = ":_:"
"""Where FreeSWITCH splits an "enterprise" originate into several calls, quoted or not."""


class Part(enum.Enum):
    """The part of a call that cannot be carried."""

    UUID = "uuid"
    NUMBER = "number"
    LINE_GROUP = "line group"
    DIALSTRING = "dial string"
    VARIABLE = "variable"
    DESTINATION = "destination"
    COMMAND = "command"


class Uncarriable(ValueError):
    """A call that no ``originate`` can carry unchanged; ``part`` and ``reason`` say why.

    ``part`` shows where to mend it: a number, a uuid or a variable mostly in the entry, a dial
    string in the line, a destination in the task.
    """

    def __init__(self, part: Part, reason: Told) -> None:
        self.part = part
        self.reason = reason
        super().__init__(f"{part.value}: {reason}")


def filled_in(dialstring: str, number: str, group: str) -> str:
    """Return the dial string with our two names replaced; raises Uncarriable."""
    if not _NUMBER.fullmatch(number) or LEG_SEPARATOR in number:
        raise Uncarriable(Part.NUMBER, Problem.UNFIT_NUMBER.of(value=repr(number[:80])))
    filled = dialstring.replace(_OUR_NUMBER, number)
    if _OUR_GROUP not in filled:
        return filled
    _check_group(group)
    return filled.replace(_OUR_GROUP, group)


def doubts(dialstring: str) -> Iterator[Told]:
    """Yield why a dial string cannot work although it can be sent, with a form that works."""
    for name in _OTHER_NAME.findall(dialstring):
        if name.lower().replace("_", "") in _MEANS_THE_NUMBER:
            yield Problem.EMPTY_VARIABLE_IN_DIALSTRING.of(wrong=f"${{{name}}}", right=NUMBER)
    if _NAME_ALONE.search(_OURS.sub("", dialstring)):
        yield Problem.BARE_NAME_IN_DIALSTRING.of(right=NUMBER)
    legs = _BEFORE_ENDPOINT.sub("", dialstring)
    endpoint, slash, rest = legs.partition("/")
    meant = _NO_ENDPOINTS.get(endpoint.lower())
    if slash and meant is not None:
        yield Problem.NO_SUCH_ENDPOINT.of(endpoint=endpoint, meant=meant)
    if legs.endswith("/") or _names_a_gateway_alone(endpoint, rest):
        yield Problem.DIALS_NO_NUMBER.of(right=f"{legs.rstrip('/')}/{NUMBER}")


def _names_a_gateway_alone(endpoint: str, rest: str) -> bool:
    kind, _, after = rest.partition("/")
    return endpoint.lower() == "sofia" and kind == "gateway" and "/" not in after


def _check_group(group: str) -> None:
    bad = _GROUP_FORBIDDEN.search(group) or CONTROL.search(group)
    if bad or not group or LEG_SEPARATOR in group:
        raise Uncarriable(Part.LINE_GROUP, _unfit(group, bad[0] if bad else ""))


def _unfit(group: str, mark: str) -> Told:
    value = repr(group[:80])
    if mark:
        return Problem.UNFIT_GROUP.of(value=value, what=repr(mark))
    return Problem.UNFIT_GROUP_NAME.of(value=value)


def split_dialstring(dialstring: str) -> tuple[dict[str, str], str]:
    """Return the variables of the braces at the beginning, and the legs behind them.

    If they stayed behind our own braces, they would override the reserved variables; so they are
    merged with the other variables.
    """
    if _PLAIN_LEG.fullmatch(dialstring):
        return {}, dialstring
    _check_characters(dialstring)
    variables: dict[str, str] = {}
    legs = dialstring
    while braces := _LEADING_BRACES.match(legs):
        variables |= _read_braces(braces[1])
        legs = legs[braces.end() :]
    _check_legs(legs)
    return variables, legs


def _check_characters(dialstring: str) -> None:
    bad = _DIALSTRING_FORBIDDEN.search(dialstring) or CONTROL.search(dialstring)
    if bad:
        problem = Problem.UNFIT_MARK.of(mark=repr(bad[0]), at=bad.start())
        raise Uncarriable(Part.DIALSTRING, problem)
    if not is_utf8(dialstring):
        raise Uncarriable(Part.DIALSTRING, Problem.LONE_SURROGATE.of())


def _read_braces(inside: str) -> dict[str, str]:
    if inside.startswith("^^"):
        raise Uncarriable(Part.DIALSTRING, Problem.OTHER_SEPARATOR.of(braces="{^^…}"))
    pairs = (part.partition("=") for part in inside.split(",") if part)
    return {name: value for name, _, value in pairs}


def _check_legs(legs: str) -> None:
    if not legs or legs[0] in "{<":
        problem = Problem.NO_ENDPOINT.of(value=repr(legs[:80]), form="{name=value}")
        raise Uncarriable(Part.DIALSTRING, problem)
    if LEG_SEPARATOR in legs:
        raise Uncarriable(Part.DIALSTRING, Problem.SPLITS_CALL.of(separator=LEG_SEPARATOR))
    if not (balanced(legs, "{", "}") and balanced(legs, "[", "]")):
        raise Uncarriable(Part.DIALSTRING, Problem.UNBALANCED_BRACKETS.of())
    for inside in _LEG_BRACKETS.findall(legs):
        _check_leg_variables(inside)
    if _MORE_LEGS.search(_LEG_BRACKETS.sub("", legs)):
        raise Uncarriable(Part.DIALSTRING, Problem.SEVERAL_LEGS.of(value=repr(legs[:80])))


def _check_leg_variables(inside: str) -> None:
    for name in RESERVED:
        if name in inside.lower():
            raise Uncarriable(Part.DIALSTRING, Problem.OURS_ALONE.of(name=f"[{name}=…]"))


def is_utf8(text: str) -> bool:
    """Say whether ``text`` can be sent at all; a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def balanced(text: str, opening: str, closing: str) -> bool:
    """Say whether every bracket is closed and none is closed before it was opened."""
    depth = 0
    for mark in re.findall(f"[{re.escape(opening + closing)}]", text):
        depth += 1 if mark == opening else -1
        if depth < 0:
            return False
    return depth == 0
