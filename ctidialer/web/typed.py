"""The typed side of a request: query and body become structs, by the types that a handler names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from ctidialer.web.answers import FORM, Asked, Refusal

Shape = TypeVar("Shape", bound=msgspec.Struct)

MAX_SHOWN_LENGTH = 40
MAX_SHOWN_KEYS = 5


def query_of(shape: type[Shape], query: Mapping[str, str]) -> Shape:
    """Return the values of a query; an empty text counts as not given.  Raises Refusal."""
    values = {
        one.name: _value(one.name, one.type, query[one.name])
        for one in msgspec.structs.fields(shape)
        if query.get(one.name) or (one.name in query and _is_number(one.type))
    }
    return shape(**values)


def body_of(shape: type[Shape], asked: Asked) -> Shape:
    """Return the body of a request, which is JSON, a form or empty.  Raises Refusal.

    A key that the body does not have is refused: it may be a misspelt ``dry_run``.
    """
    members = _members(asked)
    _refuse_unknown(members, [one.encode_name for one in msgspec.structs.fields(shape)])
    try:
        return msgspec.convert(members, shape)
    except msgspec.ValidationError as error:
        raise Refusal(400, f"the body cannot be used: {error}") from None


def expected(kind: Any) -> str:
    """Say what a value of a query must be."""
    info = _info(kind)
    if isinstance(info, msgspec.inspect.IntType):
        return f"a whole number from {info.ge} to {info.le}"
    if isinstance(info, msgspec.inspect.EnumType):
        return f"one of {', '.join(str(member.value) for member in info.cls)}"
    words = _more_of(kind).get("enum")
    return f"one of {', '.join(words)}" if words else "a text"


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the JSON schema of a value of a query."""
    info = _info(kind)
    if isinstance(info, msgspec.inspect.IntType):
        return {"type": "integer", "minimum": info.ge, "maximum": info.le}
    if isinstance(info, msgspec.inspect.EnumType):
        return {"type": "string", "enum": [member.value for member in info.cls]}
    more = _more_of(kind)
    return {"type": "string", **{name: more[name] for name in ("pattern", "enum") if name in more}}


def meaning_of(kind: Any) -> str:
    """Return what a value of a query means, for people."""
    return str(_more_of(kind).get("description", ""))


def has_required(shape: type[msgspec.Struct]) -> bool:
    """Say whether a body of this shape must have any member."""
    return any(one.required for one in msgspec.structs.fields(shape))


def _value(name: str, kind: Any, text: str) -> object:
    try:
        if _is_number(kind) and not (text.isascii() and text.isdigit()):
            raise msgspec.ValidationError
        info = _info(kind)
        if isinstance(info, msgspec.inspect.EnumType):
            return msgspec.convert(text, info.cls)  # "null" would be taken for its None
        if text not in _more_of(kind).get("enum", (text,)):
            raise msgspec.ValidationError
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        shown = f"{name} must be {expected(kind)}, not {text[:MAX_SHOWN_LENGTH]!r}"
        raise Refusal(400, shown) from None


def _more_of(kind: Any) -> Mapping[str, Any]:
    """Return what the schema of a type says beside it."""
    info = msgspec.inspect.type_info(kind)
    if isinstance(info, msgspec.inspect.Metadata):
        return info.extra_json_schema or {}
    return {}


def _is_number(kind: Any) -> bool:
    return isinstance(_info(kind), msgspec.inspect.IntType)


def _info(kind: Any) -> msgspec.inspect.Type:
    """Return what is known of a type, without its metadata, and without its None."""
    info = msgspec.inspect.type_info(kind)
    while True:
        if isinstance(info, msgspec.inspect.Metadata):
            info = info.type
        elif isinstance(info, msgspec.inspect.UnionType):
            others = [t for t in info.types if not isinstance(t, msgspec.inspect.NoneType)]
            info = others[0]
        else:
            return info


def _refuse_unknown(members: Mapping[str, object], known: Sequence[str]) -> None:
    unknown = [repr(key[:MAX_SHOWN_LENGTH]) for key in members if key not in known]
    if unknown:
        named = " or ".join(unknown[:MAX_SHOWN_KEYS])
        there = ", ".join(known)
        raise Refusal(400, f"the body cannot be used: there is no key {named}; there are: {there}")


def _members(asked: Asked) -> Mapping[str, object]:
    # curl -d calls JSON a form, too; no key of ours begins like that.
    if asked.content_type == FORM and not asked.body.lstrip().startswith(b"{"):
        return dict(parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True))
    if not asked.body:
        return {}
    try:
        document = msgspec.json.decode(asked.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"the body is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise Refusal(400, "the body must be a JSON object")
    return document
