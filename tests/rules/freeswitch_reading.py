"""How FreeSWITCH reads the argument of ``originate``: an independent decoder for the tests.

It follows the three passes of docs/freeswitch.rst, with what the recorded experiments show of
quotes and escapes, and shares no code with the encoder.
"""

from __future__ import annotations

import re

from attrs import frozen

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


@frozen
class Reading:
    """What FreeSWITCH makes of one command: its words, and of the first the variables and legs."""

    variables: dict[str, str]
    legs: list[str]
    words: list[str]


def read(command: str) -> Reading | None:
    """Return what one originate means; None = FreeSWITCH answers with an error."""
    first, *words = split_on_space(command)
    if ":_:" in first:
        raise AssertionError("an enterprise originate: the string is split in two")
    variables: dict[str, str] = {}
    while first.startswith("{"):
        end = matching(first)
        if end is None:
            return None
        for name, value in assignments(first[1:end]):
            variables = {n: v for n, v in variables.items() if n.lower() != name.lower()}
            variables[name] = value
        first = first[end + 1 :].lstrip(" ")
    if "/" not in first:
        return None
    variables = {n: v for n, v in variables.items() if not re.search(r"\$[\\$]*\{", v)}
    legs = [leg for part in split_on(first, "|") for leg in split_on(part, ",")]
    return Reading(variables, legs, words)


def matching(text: str) -> int | None:
    depth = 0
    for at, mark in enumerate(text):
        depth += {"{": 1, "}": -1}.get(mark, 0)
        if depth == 0:
            return at
    return None


def assignments(inside: str) -> list[tuple[str, str]]:
    delimiter = ","
    if inside.startswith("^^"):
        delimiter, inside = inside[2], inside[3:]
    pairs = (split_on(part, "=", at_most=2) for part in split_on(inside, delimiter, at_most=1024))
    found = [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]
    if any("[" in name or value.startswith("ARRAY::") for name, value in found):
        raise AssertionError("a list, not a variable")
    return [(name, value) for name, value in found if name]


def split_on_space(text: str) -> list[str]:
    parts: list[str] = []
    at = 0
    while at < len(text):
        begin, quoted = at, False
        while at < len(text) and text[at] == " ":
            at += 1
        while at < len(text) and (text[at] != " " or quoted):
            if text[at] == "\\":
                at += 1
            elif text[at] == "'":
                quoted = not quoted
            at += 1
        parts.append(cleaned(text[begin:at]))
        while at < len(text) and text[at] == " ":
            at += 1
    return parts


def split_on(text: str, delimiter: str, at_most: int = 128) -> list[str]:
    parts: list[str] = []
    begin = at = 0
    quoted = False
    while at < len(text) and len(parts) + 1 < at_most:
        mark = text[at]
        if mark == "\\":
            at += 1
        elif mark == "'" and (quoted or "'" in text[at + 1 :]):
            quoted = not quoted
        elif mark == delimiter and not quoted:
            parts.append(text[begin:at])
            begin = at + 1
        at += 1
    if begin < len(text):
        parts.append(text[begin:])
    return [cleaned(part, delimiter) for part in parts]


def cleaned(text: str, delimiter: str = "") -> str:
    """Take off one layer: outer spaces, quotes that have a partner, and known escapes."""
    text = text.lstrip(" ")
    out: list[str] = []
    keep: int | None = None
    at = 0
    quoted = False
    while at < len(text):
        mark, following = text[at], text[at + 1 : at + 2]
        if mark == "\\" and following and (following in "'\"\\" + delimiter + "nrts"):
            out.append(ESCAPES.get(following, following))
            keep = len(out)
            at += 1
        elif mark == "'" and (quoted or "'" in text[at + 1 :]):
            quoted = not quoted
            keep = len(out) if quoted else keep
        else:
            out.append(mark)
            if mark != " " or quoted:
                keep = len(out)
        at += 1
    return "".join(out[:keep])
