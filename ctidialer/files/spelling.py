"""A number as people spell it, made into one that can be dialed."""

from __future__ import annotations

import re
import unicodedata

CUT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
"""What a spreadsheet makes of a long number in a narrow column; saved so, its digits are lost."""

_PLAIN = re.compile(r"\+?[0-9]+")
_FORMULA = re.compile(r'="?([^"]*)"?')
_SCHEME = re.compile(r"(?:tel|callto):(?://)?", re.IGNORECASE)
_FRACTION = re.compile(r"([0-9]{3,})[.,]0+")
_TRUNK = re.compile(r"(\+[0-9]{1,3})\s*[(\[]0[)\]]")
_BETWEEN = re.compile(r"[\s()\[\].\-/_\u00b7\u2010-\u2015\u2212]+")
_EXTENSION = re.compile(
    r"(?P<number>.*?[0-9])"
    r"(?P<extension>\s*(?:;\s*ext=|ext(?:ension|n)?\.?:?|分机号?:?|转|轉|[x#,])\s*[0-9]{1,6})",
    re.IGNORECASE,
)
_DASHED = re.compile(r"(?P<number>.*?[0-9]{7,})(?P<extension>\s*-\s*[0-9]{1,5})")
_MOBILE = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}")


def is_cut(number: str) -> bool:
    """Say whether a spreadsheet has cut this number, as ``1.38E+10``."""
    return CUT.fullmatch(number) is not None


def normalized(number: str) -> str:
    """Return ``number`` without blanks, dashes, brackets, and dots between digits.

    Taken off as well: ``="…"``, a leading ``'``, ``tel:``, a last ``.0``, the ``(0)`` of
    ``+44 (0)20``, marks that nobody sees; full-width digits become usual ones.  What is no number
    stays none, and an extension stays where it is.
    """
    if _PLAIN.fullmatch(number) and number.isascii():
        return number
    text = _seen(number).strip().removeprefix("'").strip()
    formula = _FORMULA.fullmatch(text)
    text = formula[1].strip() if formula else text.strip('"').strip()
    text = _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text
    fraction = _FRACTION.fullmatch(text)
    text = fraction[1] if fraction else text
    return _BETWEEN.sub("", _TRUNK.sub(r"\1", text))


def extension_of(number: str) -> str | None:
    """Return the extension behind a number, as ``-801`` or ``ext. 801``; None = there is none."""
    text = _seen(number).strip()
    match = _EXTENSION.fullmatch(text) or _DASHED.fullmatch(text)
    if match is None or _MOBILE.fullmatch(_BETWEEN.sub("", text)):
        return None
    return match["extension"].strip()


def _seen(text: str) -> str:
    """Return what is to be seen of a text, its digits and marks of usual width."""
    if text.isascii():
        return text
    return "".join(one for one in unicodedata.normalize("NFKC", text) if _is_seen(one))


def _is_seen(one: str) -> bool:
    return one.isspace() or unicodedata.category(one) not in ("Cf", "Cc")
