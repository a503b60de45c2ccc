"""What forms, PHP, Gson, fastjson and careless producers make of a document.

Each transformation changes how a document is written and nothing of what it means.  They choose by
a `Random`: a Hypothesis strategy for each choice takes fifty times as long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from random import Random
from typing import Any

_RAW = "\x01raw:"
"""Before the text of a JSON number that Python would write otherwise."""
_RAW_TEXT = re.compile(r'"\\u0001raw:([^"]*)"')

WORDS = {
    True: (True, 1, 1.0, "1", "true", "True", "TRUE", "yes", "Yes", "on", "ON", " on ", "１"),
    False: (False, 0, 0.0, "0", "false", "False", "no", "No", "NO", "off", "Off", "０"),
}
NOTHING = (None, "", " ")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_UNSEEN = "\ufeff\u200b\u200e\u202a\u2066\u00a0 \t\n"
JOINED = frozenset(("work_week", "hangup_sipcode", "hangup_cause"))
"""Lists that may also stand in one text."""

OPTIONAL = {
    "task": (
        *("enable", "cps", "start_time", "stop_time", "work_hour", "work_time", "work_week"),
        *("holiday", "number_queue_side", "destination_dialplan", "destination_context"),
        "timezone",
    ),
    "config": ("destination_dialplan", "destination_context"),
    "line": ("count", "rest", "cps", "fault_threshold", "fault_try_interval", "fault_condition"),
    "group": ("enable", "redialer_count", "rest", "redialer_rule", "no_redialer_rule"),
    "rule": ("hangup_sipcode", "hangup_cause", "duration", "bill"),
    "number": ("remark",),
    "scheduled": ("expires",),
    "window": ("wday",),
}
"""Keys that a form may send with nothing in them."""


def written(random: Random, document: object) -> bytes:
    """Return the JSON of a document, perhaps as a string, perhaps behind a byte-order mark."""
    text: str = json.dumps(document, ensure_ascii=_maybe(random))
    text = _RAW_TEXT.sub(lambda found: found[1], text)
    for _ in range(random.randint(0, 2)):
        text = json.dumps(text, ensure_ascii=_maybe(random))
    return random.choice((b"", b"\xef\xbb\xbf")) + text.encode()


def spelt_object(random: Random, members: Mapping[str, Any], kind: str = "") -> object:
    """Return an object with its values spelt anew and keys with nothing in them added."""
    if not members and _maybe(random):
        return []
    found = {name: spelt(random, name, value) for name, value in members.items()}
    absent = [name for name in OPTIONAL.get(kind, ()) if name not in members]
    for name in random.sample(absent, random.randint(0, len(absent))):
        found[name] = random.choice(NOTHING)
    order = random.sample(list(found), len(found))
    return {name: found[name] for name in order}


def spelt(random: Random, name: str, value: Any) -> object:
    """Return another way to write the value of a key."""
    if isinstance(value, bool):
        return random.choice(WORDS[value])
    if isinstance(value, int | float):
        return _number(random, value)
    if isinstance(value, dict):
        return spelt_object(random, value, "rule" if name.endswith("_rule") else "")
    if isinstance(value, list):
        return _list(random, name, value)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}", value):
        return _moment(random, value)
    if re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2}", value):
        return _clock(random, value)
    if name == "number":
        return telephone_number(random, value)
    if re.fullmatch(r"[1-9][0-9]{0,8}", value) and name != "value":
        return random.choice((value, int(value), float(value)))
    return value


def telephone_number(random: Random, number: str) -> object:
    """Return another way to write a telephone number in JSON."""
    ways = ["text", "wide"]
    if re.fullmatch("[1-9][0-9]*", number):
        ways += ["int", "float", "exponent"]
    way = random.choice(ways)
    if way == "int":
        return int(number)
    if way == "float":
        return f"{_RAW}{number}.{'0' * random.randint(1, 4)}"
    if way == "exponent":
        return f"{_RAW}{number[0]}.{number[1:] or '0'}E{len(number) - 1}"
    text = number.translate(FULL_WIDTH) if way == "wide" else number
    return around(random, text)


def around(random: Random, text: str) -> str:
    """Return a text with what is not seen around it."""
    before, behind = ("".join(random.choices(_UNSEEN, k=random.randint(0, 2))) for _ in "ab")
    return f"{before}{text}{behind}"


def variables(random: Random, members: Mapping[str, str]) -> object:
    """Return variables with others that have no opinion; no value is spelt anew."""
    if not members and _maybe(random):
        return random.choice(([], None, "", {}))
    return {**members, **random.choice(({}, {"nobody": None}, {"nobody": ""}))}


def _number(random: Random, value: float) -> object:
    ways = [value, str(value), f" {value} ", str(value).translate(FULL_WIDTH)]
    if isinstance(value, int):
        ways += [float(value), f"{value}.0", f"{_RAW}{value}e0"]
        ways += [f"0{value}", f"+{value}"] if value >= 0 else []
    return random.choice(ways)


def _maybe(random: Random) -> bool:
    return random.random() < 0.5


def _list(random: Random, name: str, values: list[Any], inner: bool = False) -> object:
    simple = [one for one in values if isinstance(one, str | int)]
    if name in JOINED and simple and _maybe(random):
        between = random.choice((",", ", ", "，", "、", ";"))
        return between.join(map(str, simple))
    if len(values) == 1 and simple and not inner and _maybe(random):
        return spelt(random, name, values[0])
    items: list[object] = []
    for value in values:
        items += [random.choice(NOTHING)] if _maybe(random) else []
        items.append(_item(random, name, value))
    if _maybe(random):
        return items
    gaps = [random.randint(1, 3) for _ in items]
    return {str(sum(gaps[: at + 1]) - 1): item for at, item in enumerate(items)}


def _item(random: Random, name: str, value: Any) -> object:
    if isinstance(value, dict):
        return spelt_object(random, value, "window" if name in ("work_hour", "work_time") else "")
    if isinstance(value, list):
        return _list(random, name, value, inner=True)  # tiers that are all texts would be one tier
    return spelt(random, name, value)


def _moment(random: Random, value: str) -> str:
    date, _, clock = value.partition(" ")
    year, month, day = date.split("-")
    dash = random.choice("-/")
    if _maybe(random):
        month, day = str(int(month)), str(int(day))
    between = random.choice((" ", "  ", "T"))
    return f"{year}{dash}{month}{dash}{day}{between}{_clock(random, clock)}"


def _clock(random: Random, value: str) -> str:
    hours, minutes, seconds = value.split(":")
    if _maybe(random):
        hours = str(int(hours))
    short = f"{hours}:{minutes}"
    ways = [f"{short}:{seconds}", f"{short}:{seconds}.000", f"{short}:{seconds}".replace(":", "：")]
    return random.choice([*ways, short] if seconds == "00" else ways)
