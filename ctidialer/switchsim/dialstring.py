"""What the argument of ``originate`` asks for, read as FreeSWITCH reads it."""

from __future__ import annotations

import re

from attrs import field, frozen

from ctidialer.switchsim.tokens import separate

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>]"
    " [<cid_name>] [<cid_num>] [<timeout_sec>]\n"
)

_DEFAULT_TIMEOUT = 60
_ARRAY_ELEMENT = re.compile(r"(.*?)\[(\d+)\]$", re.DOTALL)
_INTEGER = re.compile(r"\s*[+-]?\d+")
_DIVIDING = re.compile(r"[|,\[\\'^]|:_:")
_DIVIDING_COMMA = "\x01"
_KEPT_COMMA = "\x02"


class UsageError(ValueError):
    """The argument has too few or too many words: the answer is `USAGE`."""


class UndefinedExtension(ValueError):
    """A word ``undef`` where FreeSWITCH needs one: the real one aborts."""


class BracesError(ValueError):
    """Brackets are not closed, or nothing to dial follows them; ``cause`` is what it comes to."""

    def __init__(self, problem: str, cause: str = "DESTINATION_OUT_OF_ORDER") -> None:
        super().__init__(problem)
        self.cause = cause


@frozen
class DialRequest:
    """One originate.  ``legs`` are the endpoints asked for; only the first one is dialed.

    ``variables`` are those of the channel, in the order in which FreeSWITCH has them, lists as
    ``ARRAY::a|:b``.  ``timeout``: seconds.  Of the first leg ``endpoint`` is the word in front of
    the first slash (``sofia``, ``null``, ``error``…), ``destination`` what follows it, ``number``
    the last path element without ``@host``.
    """

    dial_string: str
    extension: str
    dialplan: str = "XML"
    context: str = "default"
    timeout: int = _DEFAULT_TIMEOUT
    variables: dict[str, str] = field(factory=dict)
    legs: tuple[str, ...] = ()
    endpoint: str = field(init=False)
    destination: str = field(init=False)
    number: str = field(init=False)

    @endpoint.default
    def _endpoint(self) -> str:
        return self.legs[0].partition("/")[0] if "/" in self.legs[0] else ""

    @destination.default
    def _destination(self) -> str:
        return self.legs[0].partition("/")[2]

    @number.default
    def _number(self) -> str:
        return self.destination.rpartition("/")[2].partition("@")[0]

    def variable(self, name: str) -> str:
        """Give a variable's value, empty where it is not set; case does not count."""
        if name in self.variables:
            return self.variables[name]
        wanted, length = name.lower(), len(name)
        for key, text in self.variables.items():
            if len(key) == length and key.lower() == wanted:
                return text
        return ""

    def number_of(self, name: str) -> int:
        """Give a variable as C's ``atoi`` reads it; 0 where it is not set."""
        text = self.variable(name)
        return _atoi(text) if text else 0

    def is_true(self, name: str) -> bool:
        """Say whether a variable is what FreeSWITCH takes for true."""
        text = self.variable(name).lower()
        return text in {"yes", "on", "true", "t", "enabled", "active", "allow"} or (
            text.isdigit() and int(text) != 0
        )


def read_dial_request(argument: str) -> DialRequest:
    """Read an originate's argument.

    Raises `UsageError`, `UndefinedExtension` and `BracesError`.
    """
    words = separate(argument, " ", 10)
    if not 2 <= len(words) <= 7:
        raise UsageError(argument)
    words += [""] * (7 - len(words))
    if "undef" in (words[0].lower(), words[1].lower()):
        raise UndefinedExtension(argument)
    variables, dial_string = _take_braces(words[0])
    dialplan, context, timeout = (
        "" if words[at].lower() == "undef" else words[at] for at in (2, 3, 6)
    )
    own_variables, legs = _legs(dial_string)
    return DialRequest(
        dial_string=words[0],
        extension=words[1],
        dialplan=dialplan or "XML",
        context=context or "default",
        timeout=_atoi(timeout) if timeout else _DEFAULT_TIMEOUT,
        variables=_channel_variables(own_variables, variables),
        legs=legs,
    )


def _atoi(text: str) -> int:
    found = _INTEGER.match(text)
    return int(found[0]) if found else 0


def _take_braces(text: str) -> tuple[list[tuple[str, str]], str]:
    text = text.lstrip(" ")
    pairs: list[tuple[str, str]] = []
    for opening, closing in ("<>", "{}"):
        while text.startswith(opening):
            inside, text = _take_bracket(text, opening, closing)
            pairs += read_variables(inside, ",")
    text = text.lstrip(" ")
    if not text:
        raise BracesError("no dial string")
    return pairs, text


def _take_bracket(text: str, opening: str, closing: str) -> tuple[str, str]:
    end = _closing(text, 0, opening, closing)
    if end < 0:
        raise BracesError(f"{opening} is not closed")
    return text[1:end], text[end + 1 :]


def read_variables(inside: str, delimiter: str) -> list[tuple[str, str]]:
    """Read what stands between the braces; a part without ``=`` or without a value is dropped."""
    if inside.startswith("^^") and len(inside) > 2:
        inside, delimiter = inside[3:], inside[2]
    if not ("\\" in inside or "'" in inside or "^^" in inside):
        return _read_plain_variables(inside, delimiter)
    pairs = []
    for part in separate(inside, delimiter):
        halves = separate(part, "=", 2)
        if len(halves) == 2:
            pairs.append((halves[0], halves[1]))
    return pairs


def _read_plain_variables(inside: str, delimiter: str) -> list[tuple[str, str]]:
    """Do as `read_variables` where nothing is quoted, as nearly always, in a fifth of the time."""
    pairs = []
    for part in inside.split(delimiter, 1023):
        name, equals, value = part.strip(" ").partition("=")
        if equals and value:
            pairs.append((name.rstrip(" "), value.lstrip(" ")))
    return pairs


def _legs(dial_string: str) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    if not _DIVIDING.search(dial_string):
        return [], (dial_string.strip(" "),)
    first_variables: list[tuple[str, str]] = []
    legs: list[str] = []
    for thread in dial_string.split(":_:"):
        for alternative in separate(thread, "|"):
            for leg in separate(_hide_commas(alternative), ","):
                own, bare = _take_leg_variables(leg, alone="|" not in thread)
                first_variables = own if not legs else first_variables
                legs.append(bare)
    if not legs:
        raise BracesError("no dial string")
    return first_variables, tuple(legs)


def _hide_commas(text: str) -> str:
    """Keep the commas inside ``[…]`` from cutting the legs apart."""
    if "[" not in text:
        return text
    made: list[str] = []
    end, quoted = -1, False
    for at, letter in enumerate(text):
        if end < 0 and letter == "[":
            end = _closing(text, at, "[", "]")
            quoted, alternative = False, text[at + 1 : at + 3] == "^^"
        quoted ^= letter == "'"
        hidden = at < end and letter == "," and text[at - 1] != "\\"
        made.append(_mark(quoted or alternative) if hidden else letter)
        end = -1 if at == end else end
    return "".join(made)


def _mark(kept: bool) -> str:
    """Give what stands for a comma: one that belongs to a value, or one between variables."""
    return _KEPT_COMMA if kept else _DIVIDING_COMMA


def _closing(text: str, start: int, opening: str, closing: str) -> int:
    first = text.find(closing, start)
    if first < 0 or text.find(opening, start + 1, first) < 0:
        return first
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == opening) - (text[at] == closing)
        if depth == 0:
            return at
    return -1


def _take_leg_variables(leg: str, *, alone: bool) -> tuple[list[tuple[str, str]], str]:
    leg = leg.lstrip(" ")
    pairs: list[tuple[str, str]] = []
    while leg.startswith("["):
        if not alone and "]" not in leg:
            raise BracesError("[ is not closed", "CHAN_NOT_IMPLEMENTED")
        inside, leg = _take_bracket(leg, "[", "]")
        pairs += read_variables(inside.replace(_KEPT_COMMA, ","), _DIVIDING_COMMA)
    return pairs, leg.lstrip(" ")


def _channel_variables(leg: list[tuple[str, str]], shared: list[tuple[str, str]]) -> dict[str, str]:
    """Set them one after the other: the later wins and moves to the end, ``{}`` beats ``[]``."""
    pairs = leg + shared
    if len({name.lower() for name, _ in pairs}) == len(pairs) and not any(
        "[" in name or "$" in value for name, value in pairs
    ):  # nothing stands twice, and each is taken as it is written
        return {name: value for name, value in pairs if name and value}
    variables: dict[str, str] = {}
    spelt: dict[str, str] = {}
    for name, value in pairs:
        variables.pop(spelt.get(name.lower(), ""), None)
        _set(variables, name, value)
        spelt[name.lower()] = name
    return variables


def _set(variables: dict[str, str], name: str, value: str) -> None:
    element = _ARRAY_ELEMENT.match(name)
    if element:
        _set_element(variables, element[1], int(element[2]), value)
        return
    if name and value and not _is_expansion(value):
        variables[name] = value


def forget(variables: dict[str, str], name: str) -> None:
    """Remove a variable, whatever the case of its name."""
    if name in variables:
        del variables[name]
        return
    for key in [key for key in variables if key.lower() == name.lower()]:
        del variables[key]


def _set_element(variables: dict[str, str], name: str, index: int, value: str) -> None:
    if not name or index > 4000:
        return
    held = variables.get(name, "")
    items = held[7:].split("|:") if held.startswith("ARRAY::") else ([held] if held else [])
    items += [""] * (index + 1 - len(items))
    items[index] = value
    variables[name] = "ARRAY::" + "|:".join(items)


def _is_expansion(value: str) -> bool:
    """Say whether a value holds ``${…}``: FreeSWITCH drops such a variable silently."""
    return "${" in value and bool(re.search(r"\$\{[^{}]*\}", value))
