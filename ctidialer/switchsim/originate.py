"""The ``originate`` command: from its argument to a running call, or to a refusal."""

from __future__ import annotations

import signal
from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred, succeed

from ctidialer.switchsim.behaviour import Behaviour
from ctidialer.switchsim.call import Call
from ctidialer.switchsim.causes import cause_from_text
from ctidialer.switchsim.dialstring import (
    USAGE,
    BracesError,
    DialRequest,
    UndefinedExtension,
    UsageError,
    read_dial_request,
)
from ctidialer.switchsim.fields import encoded
from ctidialer.switchsim.switch import Switch

_ENDPOINTS = ("null", "loopback", "sofia", "user")
_LOG_LINES = {"The": 2395, "Throttle": 2427, "Over": 2434}
_BARE = {
    "gateway_down": "GATEWAY_DOWN",
    "invalid_gateway": "INVALID_GATEWAY",
    "invalid_profile": "INVALID_PROFILE",
}


@frozen
class Started:
    """An originate: ``text`` fires with its answer, not before ``begin`` was called.

    ``lost``: the job's event is never sent.
    """

    text: Deferred[str]
    lost: bool = False
    begin: Callable[[], None] = lambda: None


def originate(switch: Switch, argument: str) -> Started:
    """Begin a call.  An extension ``undef`` ends the process, as it does with FreeSWITCH (97)."""
    switch.originates += 1
    serial = switch.originates
    try:
        request = read_dial_request(argument)
    except UsageError:
        return _unread(switch, serial, argument, USAGE)
    except BracesError as problem:
        return _unread(switch, serial, argument, f"-ERR {problem.cause}\n")
    except UndefinedExtension:
        _log(switch, serial, argument, None, "")
        switch.end_process(-signal.SIGABRT)
        return Started(Deferred())
    return _place(switch, serial, argument, request)


def _unread(switch: Switch, serial: int, argument: str, text: str) -> Started:
    _log(switch, serial, argument, None, "")
    switch.log_end(serial, "", "", False, text.strip())
    return Started(succeed(text))


def _place(switch: Switch, serial: int, argument: str, request: DialRequest) -> Started:
    asked = request.variable("origination_uuid")
    lost = _gateway_fault(switch, request)
    # What never leaves is no attempt that the far end could count.
    behaviour = Behaviour() if lost else _behaviour(switch, request)
    refusal = _refusal(switch, request, behaviour, asked)
    taken = asked in switch.calls
    uuid = "" if refusal else asked if asked and not taken else switch.new_uuid()
    _log(switch, serial, argument, request, uuid)
    if refusal:
        return _refused(switch, serial, request, behaviour, uuid, refusal)
    lost = lost or _BARE.get(behaviour.result, "")
    if lost:
        _fire_bare_destroy(switch, uuid)
        return _refused(switch, serial, request, behaviour, uuid, lost)
    named = bool(asked) and not taken
    call = Call(switch, request, behaviour, uuid, switch.limits.started, named=named)
    call.serial = serial
    switch.calls[uuid] = call
    return Started(call.job, "BACKGROUND_JOB" in behaviour.lose, call.start)


def _behaviour(switch: Switch, request: DialRequest) -> Behaviour:
    age = switch.now() - switch.started_at
    return switch.script.choose(request.number, _gateway(request), age)


def _refused(
    switch: Switch, serial: int, request: DialRequest, behaviour: Behaviour, uuid: str, cause: str
) -> Started:
    switch.log_end(serial, uuid, request.number, False, cause)
    return Started(succeed(f"-ERR {cause}\n"), "BACKGROUND_JOB" in behaviour.lose)


def _gateway(request: DialRequest) -> str:
    """Give the gateway's name, or the profile's where none is used."""
    parts = request.destination.split("/")
    if request.endpoint != "sofia" or len(parts) < 2:
        return ""
    return parts[1] if parts[0] == "gateway" and len(parts) > 2 else parts[0]


def _gateway_fault(switch: Switch, request: DialRequest) -> str:
    """Give the cause for which nothing leaves the switch, empty where it does."""
    words = request.destination.split("/")
    if request.endpoint != "sofia" or words[0] != "gateway" or len(words) < 3:
        return ""
    return switch.gateways.fault(words[1])


def _refusal(switch: Switch, request: DialRequest, behaviour: Behaviour, asked: str) -> str:
    """Give the cause for which no channel is made at all, empty where one is."""
    if request.endpoint == "error":
        return cause_from_text(request.destination)
    if behaviour.result == "error":
        return behaviour.cause
    if request.endpoint not in _ENDPOINTS:
        return "CHAN_NOT_IMPLEMENTED"
    if asked in switch.calls and request.endpoint == "sofia":
        return "DESTINATION_OUT_OF_ORDER"
    if behaviour.result == "refused":
        return "DESTINATION_OUT_OF_ORDER"
    problem = switch.limits.admit(len(switch.calls), switch.now())
    if problem:
        line = _LOG_LINES[problem.split()[0]]
        function = "switch_core_session_request_uuid"
        switch.write_log(2, "switch_core_session.c", function, line, problem)
        return "DESTINATION_OUT_OF_ORDER"
    return ""


def _fire_bare_destroy(switch: Switch, uuid: str) -> None:
    fields = {b"uuid": encoded(uuid), b"session": b"%d" % switch.limits.started}
    switch.fire_channel("CHANNEL_DESTROY", (), frozenset(), fields, {})


def _log(
    switch: Switch, serial: int, argument: str, request: DialRequest | None, uuid: str
) -> None:
    values: dict[str, object] = {"time": switch.now(), "call": serial, "argument": argument}
    if request is None:
        switch.log.write("originate", {**values, "uuid_asked": "", "uuid": ""})
        return
    switch.log.write(
        "originate",
        {
            **values,
            "uuid_asked": request.variable("origination_uuid"),
            "uuid": uuid,
            "variables": request.variables,
            "dial_string": request.dial_string,
            "number": request.number,
            "extension": request.extension,
            "dialplan": request.dialplan,
            "context": request.context,
            "legs": len(request.legs),
        },
    )
