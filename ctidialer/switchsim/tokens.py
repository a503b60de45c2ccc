"""How FreeSWITCH cuts a string at a delimiter and takes quotes and escapes out of the pieces.

A command argument goes through this several times (at the spaces, at the commas, at the ``=``),
and each pass removes one layer of ``'`` and of backslashes (docs/freeswitch.rst, recording 50).
"""

from __future__ import annotations

_MEANINGS = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def separate(text: str, delimiter: str, most: int = 1024) -> list[str]:
    """Cut ``text`` into at most ``most`` pieces; ``^^x`` in front chooses the delimiter ``x``."""
    if text.startswith("^^") and len(text) > 3:
        text, delimiter = text[3:], text[2]
    if not ("\\" in text or "'" in text):
        return _plain_pieces(text, delimiter, most)
    if delimiter == " ":
        return [clean(piece, "") for piece in _cut_at_spaces(text, most)]
    return [clean(piece, delimiter) for piece in _cut(text, delimiter, most)]


def _plain_pieces(text: str, delimiter: str, most: int) -> list[str]:
    """Cut a text without quotes and escapes, as nearly every one is."""
    if delimiter != " ":
        return [piece.strip(" ") for piece in _without_last_empty(text.split(delimiter, most - 1))]
    if len(words := text.split(" ")) <= most:
        return [word for word in words if word]
    return [piece.strip(" ") for piece in _cut_at_spaces(text, most)]


def _cut(text: str, delimiter: str, most: int) -> list[str]:
    pieces: list[str] = []
    start = at = 0
    quoted = False
    while at < len(text) and len(pieces) < most - 1:
        letter = text[at]
        if letter == "\\":
            at += 1
        elif letter == "'" and (quoted or "'" in text[at + 1 :]):
            quoted = not quoted
        elif letter == delimiter and not quoted:
            pieces.append(text[start:at])
            start = at + 1
        at += 1
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def _without_last_empty(pieces: list[str]) -> list[str]:
    return pieces if pieces[-1] else pieces[:-1]


def _cut_at_spaces(text: str, most: int) -> list[str]:
    pieces: list[str] = []
    start = 0
    while start < len(text) and len(pieces) < most - 1:
        end = _end_of_word(text, start)
        pieces.append(text[start:end])
        start = end
        while start < len(text) and text[start] == " ":
            start += 1
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def _end_of_word(text: str, start: int) -> int:
    at = start
    while at < len(text) and text[at] == " ":
        at += 1
    quoted = False
    while at < len(text) and (quoted or text[at] != " "):
        if text[at] == "\\":
            at += 1
        elif text[at] == "'":
            quoted = not quoted
        at += 1
    return min(at, len(text))


def clean(piece: str, delimiter: str) -> str:
    r"""Take one layer of quotes and escapes out of a piece, and the spaces around it.

    ``\'``, ``\"``, ``\\``, an escaped delimiter and ``\n \r \t \s`` are undone; any other backslash
    stays.  A quote without a partner stays too.
    """
    piece = piece.lstrip(" ")
    if not ("\\" in piece or "'" in piece):
        return piece.rstrip(" ")
    made: list[str] = []
    end = at = 0
    quoted = False
    while at < len(piece):
        letter = piece[at]
        undone = _undo(piece[at + 1 : at + 2], delimiter) if letter == "\\" else ""
        if undone:
            made.append(undone)
            at += 1
            end = len(made)
        elif letter == "'" and (quoted or "'" in piece[at + 1 :]):
            quoted = not quoted
            end = len(made) if quoted else end
        else:
            made.append(letter)
            end = len(made) if letter != " " or quoted else end
        at += 1
    return "".join(made[:end])


def _undo(letter: str, delimiter: str) -> str:
    if letter and (letter in "'\"\\" or letter == delimiter):
        return letter
    return _MEANINGS.get(letter, "")
