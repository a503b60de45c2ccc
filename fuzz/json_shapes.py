"""JSON documents changed along their structure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from fuzz.target import LARGEST
from tests.hostile import FRAGMENTS

_LARGEST = 4096  # bytes of a document that is taken apart; larger ones are changed by bytes
_MOST_STEPS = 8
_MANY = (5, 5, 5, 20, 20, 60, 1100)

SCALARS: tuple[Any, ...] = (
    *(None, True, False, "", " ", "true", "null", "undef", "8888", "&park()", "&lua(a b)", [], {}),
    *(0, 1, -1, 7, 10**30, -0.0, 1.5, 1e300, 0.1, float("nan"), float("inf")),
    *("0", "9", "-1", "1e9", "٣", "１２", "\ud800", "\udcff", "a" * 300, "x" * 5000),
    *("8:00", "24:00", "25:00", "2020-2-29 8:00", "2020-2-30 8:00:00", "9999-12-31 24:00"),
    *("1-1-1 0:00", "UTC", "Asia/Shanghai", "America/New_York", "../../etc/passwd", "Asia"),
    *("USER_BUSY", "17", 486, "left", "RIGHT", "sofia/gateway/gw/${destination_number}"),
    *("{a=1,b=2}user/1", "[leg_timeout=2]user/1", "user/${line_group}", "user/1|user/2"),
)


def restructured(data: bytes, other: bytes, random: Random, keys: Sequence[str]) -> bytes:
    """Return a document with one to a few values changed; other bytes as they were."""
    document = parsed(data)
    if document is None:
        return data
    donor = parsed(other)
    for _ in range(1 + int(random.expovariate(0.8))):
        document = _changed(document, donor, random, keys)
    try:
        text = json.dumps(document, ensure_ascii=random.random() < 0.5)
    except (ValueError, RecursionError):
        return data
    return text.encode("utf-8", "surrogatepass")


def parsed(data: bytes) -> Any:
    """Return what stands in a small JSON document, None where it is none."""
    if len(data) > _LARGEST:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def some_value(donor: Any, random: Random) -> Any:
    """Return a value: plain, hostile, or taken out of another document."""
    turn = random.random()
    if turn < 0.35:
        return random.choice(SCALARS)
    if turn < 0.6:
        return "".join(random.choices(FRAGMENTS, k=random.randrange(1, 4)))
    if turn < 0.7:
        return random.choice("abc") + random.choice(FRAGMENTS) + random.choice("123")
    if turn < 0.75:
        return _nested(random)
    return _copied(_part(donor, random))


def _nested(random: Random) -> Any:
    value: Any = 1
    as_list = random.random() < 0.5
    for _ in range(random.choice((1, 5, 50, 400))):
        value = [value] if as_list else {"a": value}
    return value


def _copied(value: Any) -> Any:
    """Return a copy that can be changed apart from the original."""
    try:
        text = json.dumps(value)
        return json.loads(text) if len(text) <= _LARGEST else None
    except (ValueError, RecursionError):
        return None


def _part(document: Any, random: Random) -> Any:
    for _ in range(random.randrange(_MOST_STEPS)):
        if isinstance(document, dict) and document:
            document = document[random.choice(list(document))]
        elif isinstance(document, list) and document:
            document = random.choice(document)
    return document


def _changed(document: Any, donor: Any, random: Random, keys: Sequence[str]) -> Any:
    """Change something within ``document``, or replace it."""
    place = document
    for _ in range(random.randrange(_MOST_STEPS)):
        inner = _inner(place)
        if not inner:
            break
        place = random.choice(inner)
    if isinstance(place, dict):
        _change_object(place, donor, random, keys)
    elif isinstance(place, list):
        _change_list(place, donor, random)
    else:
        return some_value(donor, random)
    return document


def _inner(value: Any) -> list[Any]:
    """Return the objects and lists directly within a value."""
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in held if isinstance(one, dict | list)]


def _change_object(place: dict[str, Any], donor: Any, random: Random, keys: Sequence[str]) -> None:
    name = random.choice(list(place)) if place and random.random() < 0.6 else random.choice(keys)
    turn = random.random()
    if turn < 0.15:
        place.pop(name, None)
    elif turn < 0.25:
        place[name + random.choice(FRAGMENTS)] = place.pop(name, 1)
    elif turn < 0.3:
        place |= {f"v{index}": index for index in range(random.choice(_MANY))}
    else:
        place[name] = some_value(donor, random)


def _room(place: list[Any]) -> int:
    """Return how often a list can be repeated: lists within lists would fill the memory."""
    try:
        return max(1, LARGEST // len(json.dumps(place)))
    except (ValueError, RecursionError):
        return 1


def _change_list(place: list[Any], donor: Any, random: Random) -> None:
    turn = random.random()
    if turn < 0.2 and place:
        del place[random.randrange(len(place))]
    elif turn < 0.3:
        # Copies: else a later change of one were one of all, and so on until memory is full.
        times = min(random.choice((2, 20, 200)), _room(place)) - 1
        place += [_copied(one) for one in place * times]
    elif turn < 0.6 and place:
        place[random.randrange(len(place))] = some_value(donor, random)
    else:
        place.insert(random.randrange(len(place) + 1), some_value(donor, random))
