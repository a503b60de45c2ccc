"""Texts as FreeSWITCH puts them on the wire.

Inside the simulator a text is a ``str`` whose bytes need not be valid UTF-8 (surrogateescape); on
the wire it is ``bytes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

import msgspec

_HEX_ESCAPE = rb"%(?![0-9A-F]{2})"
_UNSAFE = rb"""[\x00-\x20"#&+:;<=>?@\[\\\]^`{|}\x7f-\xff]"""
_TO_ENCODE = re.compile(_HEX_ESCAPE + rb"|" + _UNSAFE)
_TO_ENCODE_EXACTLY = re.compile(rb"%|" + _UNSAFE)
SAFE = bytes(code for code in range(256) if not re.match(_UNSAFE + rb"|%", bytes([code])))
"""The bytes that no header value needs encoded."""

_ESCAPES = {bytes([code]): b"%%%02X" % code for code in range(256)}


def to_bytes(text: str) -> bytes:
    """Give the bytes of a text."""
    return text.encode("utf-8", "surrogateescape")


def to_text(octets: bytes) -> str:
    """Give the text of bytes; what is no UTF-8 comes back unchanged from `to_bytes`."""
    return octets.decode("utf-8", "surrogateescape")


def percent_encode(octets: bytes) -> bytes:
    """Encode a header value as a plain event has it: an existing ``%XX`` is not encoded again."""
    unsafe = octets.translate(None, SAFE)
    if not unsafe:  # nearly every value
        return octets
    if b"%" in unsafe:
        return _TO_ENCODE.sub(_escape, octets)
    for code in set(unsafe):  # a few replacements are five times faster than one substitution
        octets = octets.replace(bytes((code,)), _ESCAPES[bytes((code,))])
    return octets


def percent_encode_exactly(octets: bytes) -> bytes:
    """Encode so that decoding gives the same bytes again, ``%41`` included."""
    if not octets.translate(None, SAFE):
        return octets
    return _TO_ENCODE_EXACTLY.sub(_escape, octets)


def _escape(found: re.Match[bytes]) -> bytes:
    return _ESCAPES[found[0]]


def percent_decode(octets: bytes) -> bytes:
    """Undo percent encoding."""
    return unquote_to_bytes(octets) if b"%" in octets else octets


def header_pairs(block: bytes) -> Iterable[tuple[str, bytes]]:
    """Give the names and decoded values of an encoded header block, in order."""
    for line in block.split(b"\n"):
        name, colon, value = line.partition(b": ")
        if colon:
            yield to_text(name), percent_decode(value)


def json_event(pairs: Iterable[tuple[str, bytes]], body: bytes | None) -> bytes:
    """Render an event as ``event json`` has it: every value a string, lists as arrays."""
    members = [_json_member(name, value) for name, value in pairs]
    if body is not None:
        members.append(b'"_body":' + _json_string(body))
    return b"{" + b",".join(members) + b"}"


def _json_member(name: str, value: bytes) -> bytes:
    if value.startswith(b"ARRAY::"):
        items = b",".join(_json_string(item) for item in value[7:].split(b"|:"))
        return b"%b:[%b]" % (_json_string(to_bytes(name)), items)
    return b"%b:%b" % (_json_string(to_bytes(name)), _json_string(value))


def _json_string(octets: bytes) -> bytes:
    return msgspec.json.encode(octets.decode("utf-8", "replace"))
