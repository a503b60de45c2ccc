"""What happens to a call: decided by a script for each number, else by seeded chance.

A script is a JSON object; every key may be missing::

    {"seed": 7,
     "default":  {"result": "answer", "ring": 0.1, "talk": [1, 3]},
     "numbers":  {"13800138000": {"result": "sip", "status": 486},
                  "13800138001": [{"result": "busy"}, {"result": "answer"}]},
     "prefixes": {"139": {"result": "no_answer"}},
     "patterns": [["^1[0-9]*7$", {"result": "sip", "status": 503}]],
     "gateways": {"slowgw": {"result": "silent"}},
     "known_gateways": {"carrier1": "up", "downgw": "down"},
     "mix":      [{"weight": 6, "result": "answer"}, {"weight": 3, "result": "busy"}],
     "phases":   [[1800, [{"weight": 1, "result": "busy"}]]],
     "users":    {"esl@127.0.0.1": {"password": "limited", "events": "HEARTBEAT", "api": "show"}}}

Looked up in this order: gateway, exact number, longest prefix, first pattern, mix, default.  A list
gives the first, second… attempt on a number its behaviour; the last one holds from then on.  What
chance decides depends on the seed and the number alone.  A phase's mix takes the place of ``mix``
from so many seconds after the start on.  Durations are written as `ctidialer.switchsim.spans` has
them.  Where ``known_gateways`` are given (a list of names will do), there are no others; without it
every gateway exists and is up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from attrs import Factory, define, fields, frozen

from ctidialer.switchsim.causes import Q850
from ctidialer.switchsim.gateways import Gateways
from ctidialer.switchsim.spans import Span, draw, read_span

RESULTS = frozenset(
    {
        "answer",
        "sip",
        "busy",
        "no_answer",
        "silent",
        "unreachable",
        "gateway_down",
        "invalid_gateway",
        "invalid_profile",
        "error",
        "refused",
    }
)
_SEEDED_ORDERS = ("before", "first", "middle", "last")
JOB_ORDERS = ("seeded", *_SEEDED_ORDERS)
_LOSSES = {"hangup": ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")}


class ScriptError(ValueError):
    """A script that cannot be used; the text names the place and what would be right."""


@frozen
class Behaviour:
    """How one call goes.

    ``result``: ``answer``; ``sip`` (ends with ``status``); ``busy`` (= sip 486); ``no_answer``
    (rings until a timeout; a second after it, 480); ``silent`` (no SIP answer at all; after
    32 s RECOVERY_ON_TIMER_EXPIRE);
    ``unreachable`` (nothing listens: 503); ``gateway_down``, ``invalid_gateway``,
    ``invalid_profile`` (only CHANNEL_DESTROY and the job); ``error`` (only the job, with
    ``cause``); ``refused`` (DESTINATION_OUT_OF_ORDER, as under load).
    ``progress``: ``none``, ``ringing`` (180) or ``early`` (183), ``progress_after`` seconds after
    the INVITE.  ``ring``: seconds from the INVITE to the final response.  ``talk``: seconds from
    the answer to the end; 0 = the far end hangs up at once, and the job says -ERR.
    ``reason``: Q.850 number of a SIP Reason header, which overrides the cause.
    ``far_end_hangs_up``: who ends an answered SIP call.  ``bridge``: seconds from the answer until
    the call is connected to another leg, null = it never is.  ``variables``: channel variables that
    the dialplan sets by the end of an answered call (``cc_agent``, say).  ``patience``: seconds
    that the callee waits in a queue for an agent; the talk with one lasts as long as the agents'
    handle time.  ``after_transfer``: seconds that the extension lasts to which `uuid_transfer`
    sends the call.
    ``job``: where the job's event stands among the hang-up events: ``before`` CHANNEL_HANGUP,
    ``first`` (after it), ``middle`` (after HANGUP_COMPLETE), ``last`` (after DESTROY), or
    ``seeded``.
    ``lose``: names of events of this call that are never sent (``hangup`` = all three,
    ``BACKGROUND_JOB`` = the job).  ``create_last``: CHANNEL_CREATE comes after CHANNEL_HANGUP.
    """

    result: str = "answer"
    status: int = 486
    reason: int = 0
    cause: str = "NORMAL_TEMPORARY_FAILURE"
    progress: str = "none"
    progress_after: float = 0.0
    ring: Span = 0.0
    talk: Span = 0.2
    patience: Span = 30.0
    after_transfer: Span = 3.0
    far_end_hangs_up: bool = True
    bridge: Span | None = None
    variables: dict[str, str] = Factory(dict)
    job: str = "seeded"
    lose: tuple[str, ...] = ()
    create_last: bool = False
    weight: float = 1.0


_SPANS = ("ring", "talk", "bridge", "patience", "after_transfer")
_TEXT, _WHOLE, _NUMBER, _FLAG = "a text", "a whole number", "a number, 0 or more", "true or false"
_FORMS = {
    **dict.fromkeys(("result", "cause", "progress", "job"), _TEXT),
    **dict.fromkeys(("status", "reason"), _WHOLE),
    **dict.fromkeys(("progress_after", "weight"), _NUMBER),
    **dict.fromkeys(("far_end_hangs_up", "create_last"), _FLAG),
}
_NAMES = frozenset(attribute.name for attribute in fields(Behaviour))


def read_behaviour(value: object, path: str = "$") -> Behaviour:
    """Read a behaviour from JSON data.  Raises `ScriptError`."""
    if not isinstance(value, dict):
        raise ScriptError(f"{path}: a behaviour must be an object, not {value!r}")
    unknown = sorted(set(value) - _NAMES)
    if unknown:
        raise ScriptError(f"{path}: unknown {unknown[0]!r}; known: {', '.join(sorted(_NAMES))}")
    given = dict(value)
    for name, form in _FORMS.items():
        if name in given and not _is(given[name], form):
            raise ScriptError(f"{path}.{name}: must be {form}, not {given[name]!r}")
    if given.get("result") == "busy":
        given.update(result="sip", status=486)
    for span in _SPANS:
        if span in given and (span, given[span]) != ("bridge", None):
            given[span] = _span(given[span], f"{path}.{span}")
    if "lose" in given:
        given["lose"] = _lost_events(given["lose"], f"{path}.lose")
    behaviour = Behaviour(**given)
    _check(behaviour, path)
    return behaviour


def _span(value: object, path: str) -> Span:
    try:
        return read_span(value, path)
    except ValueError as problem:
        raise ScriptError(str(problem)) from None


def _is(value: object, form: str) -> bool:
    """Say whether a value has a form: JSON's true and false are no numbers."""
    if form == _FLAG or isinstance(value, bool):
        return form == _FLAG and isinstance(value, bool)
    if form == _NUMBER:
        return isinstance(value, int | float) and value >= 0
    return isinstance(value, str if form == _TEXT else int)


def _lost_events(value: object, path: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ScriptError(f"{path}: must be the name of an event, or a list of them")
    return tuple(event for name in names for event in _LOSSES.get(name, (name,)))


def _check(behaviour: Behaviour, path: str) -> None:
    if behaviour.result not in RESULTS:
        raise ScriptError(f"{path}.result: must be one of {', '.join(sorted(RESULTS))}")
    if behaviour.job not in JOB_ORDERS:
        raise ScriptError(f"{path}.job: must be one of {', '.join(JOB_ORDERS)}")
    if behaviour.progress not in ("none", "ringing", "early"):
        raise ScriptError(f"{path}.progress: must be none, ringing or early")
    variables: object = behaviour.variables
    if not isinstance(variables, dict) or not all(
        isinstance(value, str) for value in variables.values()
    ):
        raise ScriptError(f"{path}.variables: must be an object of texts")
    if behaviour.cause not in Q850:
        raise ScriptError(f"{path}.cause: {behaviour.cause!r} is no hang-up cause")


def chance(seed: int, *what: object) -> float:
    """Give a number from 0 up to 1 that depends on the seed and on ``what`` alone."""
    text = f"{seed}|" + "|".join(str(part) for part in what)
    digest = blake2b(text.encode("utf-8", "surrogateescape"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


@define
class Script:
    """All behaviours; `choose` picks the one of a call.  It can be changed while calls run."""

    seed: int = 0
    default: Behaviour = Behaviour()
    numbers: dict[str, tuple[Behaviour, ...]] = Factory(dict)
    prefixes: dict[str, tuple[Behaviour, ...]] = Factory(dict)
    patterns: list[tuple[re.Pattern[str], tuple[Behaviour, ...]]] = Factory(list)
    gateways: dict[str, tuple[Behaviour, ...]] = Factory(dict)
    mix: tuple[Behaviour, ...] = ()
    phases: tuple[tuple[float, tuple[Behaviour, ...]], ...] = ()
    users: dict[str, dict[str, Any]] = Factory(dict)
    known_gateways: Gateways = Factory(Gateways)
    _attempts: dict[str, int] = Factory(dict)

    def choose(self, number: str, gateway: str = "", age: float = 0.0) -> Behaviour:
        """Give the behaviour of the next attempt on a number; ``age`` of the switch in seconds."""
        attempt = self._attempts.get(number, 0)
        self._attempts[number] = attempt + 1
        series = self._series(number, gateway)
        if series:
            return series[min(attempt, len(series) - 1)]
        mix = self._mix_at(age) if self.phases else self.mix
        return self._by_chance(number, mix) if mix else self.default

    def _mix_at(self, age: float) -> tuple[Behaviour, ...]:
        begun = [mix for after, mix in self.phases if after <= age]
        return begun[-1] if begun else self.mix

    def _series(self, number: str, gateway: str) -> tuple[Behaviour, ...]:
        if gateway in self.gateways:
            return self.gateways[gateway]
        if number in self.numbers:
            return self.numbers[number]
        for length in range(len(number), 0, -1) if self.prefixes else ():
            if number[:length] in self.prefixes:
                return self.prefixes[number[:length]]
        return next((series for pattern, series in self.patterns if pattern.search(number)), ())

    def _by_chance(self, number: str, mix: tuple[Behaviour, ...]) -> Behaviour:
        left = chance(self.seed, number, "mix") * sum(each.weight for each in mix)
        for behaviour in mix:
            left -= behaviour.weight
            if left < 0:
                return behaviour
        return mix[-1]

    def seconds(self, span: Span, *what: object) -> float:
        """Give a duration: itself, or a seeded one out of its distribution."""
        if isinstance(span, int | float):  # nearly always
            return float(span)
        return draw(span, lambda: chance(self.seed, *what))

    def job_order(self, behaviour: Behaviour, number: str, stage: str, *, answered: bool) -> str:
        """Give where the job's event stands when a call ends by ``stage``."""
        if behaviour.job != "seeded":
            return behaviour.job
        if answered:
            return "middle"
        return _SEEDED_ORDERS[int(self.seconds((0.0, 4.0), number, "job", stage))]


_KEYS = {"seed", "default", "numbers", "prefixes", "patterns", "gateways", "mix", "users"} | {
    "known_gateways",
    "phases",
}


def read_script(document: object) -> Script:
    """Read a script from JSON data.  Raises `ScriptError`."""
    if not isinstance(document, dict):
        raise ScriptError("$: a script must be an object")
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise ScriptError(f"$: unknown {unknown[0]!r}; known: {', '.join(sorted(_KEYS))}")
    if not _is(document.get("seed", 0), _WHOLE):
        raise ScriptError(f"$.seed: must be {_WHOLE}, not {document['seed']!r}")
    return Script(
        seed=document.get("seed", 0),
        default=read_behaviour(document.get("default", {}), "$.default"),
        numbers=_table(document.get("numbers", {}), "$.numbers"),
        prefixes=_table(document.get("prefixes", {}), "$.prefixes"),
        patterns=_patterns(document.get("patterns", [])),
        gateways=_table(document.get("gateways", {}), "$.gateways"),
        mix=read_series(document.get("mix", []), "$.mix"),
        phases=_phases(document.get("phases", [])),
        users=_users(document.get("users", {})),
        known_gateways=_known_gateways(document),
    )


def _phases(value: object) -> tuple[tuple[float, tuple[Behaviour, ...]], ...]:
    pairs = _pairs(value)
    if pairs is None or not all(_is(after, _NUMBER) for after, _ in pairs):
        raise ScriptError("$.phases: must be a list of pairs [seconds, mix]")
    return tuple(
        (float(after), read_series(mix, f"$.phases[{at}]")) for at, (after, mix) in enumerate(pairs)
    )


def _pairs(value: object) -> list[tuple[Any, Any]] | None:
    """Return the pairs in a list; None = it is no such list."""
    if not isinstance(value, list):
        return None
    if not all(isinstance(one, list) and len(one) == 2 for one in value):
        return None
    return [(first, second) for first, second in value]


def _users(value: object) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
        raise ScriptError("$.users: must be an object of objects")
    return dict(value)


def _known_gateways(document: dict[str, Any]) -> Gateways:
    gateways = Gateways()
    if "known_gateways" in document:
        try:
            gateways.set_all(document["known_gateways"])
        except ValueError as problem:
            raise ScriptError(f"$.known_gateways: {problem}") from None
    return gateways


def read_script_file(path: Path) -> Script:
    """Read a script file.  Raises `ScriptError` with the file's name."""
    try:
        return read_script(msgspec.json.decode(path.read_bytes()))
    except (OSError, msgspec.DecodeError, ScriptError) as problem:
        raise ScriptError(f"{path}: {problem}") from problem


def read_series(value: object, path: str) -> tuple[Behaviour, ...]:
    """Read one behaviour, or a list of them."""
    many = value if isinstance(value, list) else [value]
    return tuple(read_behaviour(each, f"{path}[{at}]") for at, each in enumerate(many))


def _table(value: object, path: str) -> dict[str, tuple[Behaviour, ...]]:
    if not isinstance(value, Mapping):
        raise ScriptError(f"{path}: must be an object")
    return {key: read_series(each, f"{path}.{key}") for key, each in value.items()}


def _patterns(value: object) -> list[tuple[re.Pattern[str], tuple[Behaviour, ...]]]:
    pairs = _pairs(value)
    if pairs is None or not all(_is(pattern, _TEXT) for pattern, _ in pairs):
        raise ScriptError("$.patterns: must be a list of pairs [pattern, behaviour]")
    return [
        (_pattern(pattern, f"$.patterns[{at}][0]"), read_series(each, f"$.patterns[{at}]"))
        for at, (pattern, each) in enumerate(pairs)
    ]


def _pattern(text: str, path: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as problem:
        raise ScriptError(f"{path}: {text!r} is no pattern: {problem}") from None
