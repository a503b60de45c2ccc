"""The values a call's header templates are filled in with."""

from __future__ import annotations

from functools import lru_cache
from uuid import NAMESPACE_OID, uuid5

from ctidialer.switchsim.causes import Q850
from ctidialer.switchsim.dialstring import DialRequest
from ctidialer.switchsim.encoding import percent_encode, to_bytes
from ctidialer.switchsim.events import stamp_text, variable_lines
from ctidialer.switchsim.templates import Fields

_MOMENTS = (b"created", b"answered", b"progress", b"progress_media")


def encoded(text: str) -> bytes:
    """Give a text as a header value."""
    return percent_encode(to_bytes(text))


word = lru_cache(maxsize=4096)(encoded)
"""As `encoded`, kept: for what many calls have in common."""


def first_fields(request: DialRequest, uuid: str, serial: int, now: float) -> Fields:
    """Give what is known when the channel is made; moments that have not come are 0."""
    moment = b"%d" % int(now * 1_000_000)
    number = encoded(request.number)
    fields = {
        b"uuid": encoded(uuid),
        b"number": number,
        b"channel": encoded(_channel_name(request)),
        b"session": b"%d" % serial,
        b"endpoint": word(request.endpoint),
        b"created": moment,
        b"profile_created": moment,
        b"answered": b"0",
        b"bridged": b"0",
        b"progress": b"0",
        b"progress_media": b"0",
        b"hangup": b"0",
        b"sip_cause": b"0",
        **_variables(request),
    }
    if request.endpoint in ("sofia", "user"):
        fields.update(_sip_fields(request, serial, int(now)))
    return fields


def _variables(request: DialRequest) -> Fields:
    ignored = request.is_true("ignore_early_media")
    return {
        b"variables": variable_lines(request.variables),
        b"early_media_ok": b"false" if ignored else b"true",
    }


def set_variables(fields: Fields, request: DialRequest) -> None:
    """Render the variables again after one was changed."""
    fields.update(_variables(request))


def _channel_name(request: DialRequest) -> str:
    parts = request.destination.split("/")
    if request.endpoint == "sofia":
        profile = "external" if parts[0] == "gateway" else parts[0]
        return f"sofia/{profile}/{parts[-1]}"
    if request.endpoint == "loopback":
        return f"loopback/{parts[0]}-a"
    return f"{request.endpoint}/{request.destination or 'service'}"


def _sip_fields(request: DialRequest, serial: int, second: int) -> Fields:
    parts = request.destination.split("/")
    gateway = parts[1] if parts[0] == "gateway" and len(parts) > 2 else ""
    return {
        b"gateway": word(gateway),
        b"media_port": b"%d" % (16384 + serial * 2 % 16000),
        b"sdp_session": b"%d" % (second - serial % 50_000),
        b"sdp_version": b"%d" % (second - serial % 50_000 + 1),
        b"sip_tag": b"%012x" % (serial * 2_654_435_761 % (1 << 48)),
        b"sip_cseq": b"%d" % (123_000_000 + serial),
        b"sip_call_id": b"%08x-614d-1240-1e9c-6aa18051ff91" % serial,
        b"ssrc": b"%d" % (serial * 2_654_435_761 % (1 << 32)),
    }


def route_fields(request: DialRequest, now: float, *, sip: bool) -> tuple[frozenset[str], Fields]:
    """Give the tags and fields of the way the channel goes after the originate's success."""
    if request.extension.startswith("&") and len(request.extension) > 1:
        return _application(request.extension)
    second = int(now)
    transfer = (
        f"{second}:5ddc247c-c0b8-4bbb-9974-{second:012x}:bl_xfer:"
        f"{request.extension}/{request.context}/{request.dialplan}"
    )
    application, data = (
        ("playback", "tone_stream://%(1000,1000,440);loops=30")
        if sip
        else ("hangup", "NORMAL_CLEARING")
    )
    return frozenset({"extension", "application_data"}), {
        b"extension": word(request.extension),
        b"dialplan": word(request.dialplan),
        b"context": word(request.context),
        b"transfer": encoded(transfer),
        b"application": word(application),
        b"application_data": word(data),
        b"profile_created": b"%d" % int(now * 1_000_000),
    }


def _application(extension: str) -> tuple[frozenset[str], Fields]:
    name, bracket, rest = extension[1:].partition("(")
    data = rest.partition(")")[0]
    tags = frozenset({"application_data"}) if bracket and data else frozenset[str]()
    name = name.partition(")")[0]
    return tags, {b"application": encoded(name), b"application_data": encoded(data)}


def other_leg(uuid: str) -> str:
    """Give the UUID of the leg to which a call is connected."""
    return str(uuid5(NAMESPACE_OID, uuid))


def agent_starts(uuid: str, agent: str) -> list[tuple[str, str]]:
    """Give what mod_callcenter says before it connects a call to an agent (recording 95)."""
    return [
        ("Event-Subclass", "callcenter::info"),
        ("CC-Queue", "sales@default"),
        ("CC-Action", "bridge-agent-start"),
        ("CC-Agent", agent),
        ("CC-Agent-System", "single_box"),
        ("CC-Agent-UUID", other_leg(uuid)),
        ("CC-Member-Session-UUID", uuid),
    ]


def refusal_fields(status: int, phrase: bytes, cause: str) -> Fields:
    """Give what a final SIP status leaves in a channel."""
    return {b"sip_status": b"%d" % status, b"sip_phrase": phrase, b"sip_cause": b"%d" % Q850[cause]}


def end_fields(fields: Fields) -> Fields:
    """Give the stamps, epochs and durations of an ended call (recordings 10, 12, 21)."""
    end = int(fields[b"hangup"])
    start, answer, progress, media = (int(fields[moment]) for moment in _MOMENTS)
    profile = int(fields[b"profile_created"])
    made: Fields = {}
    _moment(made, b"start", start)
    _moment(made, b"profile", profile)
    _moment(made, b"answer", answer)
    _moment(made, b"bridge", int(fields[b"bridged"]))
    _moment(made, b"progress", progress)
    _moment(made, b"progress_media", media)
    _moment(made, b"end", end)
    _span(made, b"duration", start, end)
    _span(made, b"bill", answer, end)
    _span(made, b"progress", start, progress)
    _span(made, b"answer", start, answer)
    _span(made, b"progress_media", start, media)
    _span(made, b"flow_bill", start if answer else 0, end)
    return made


def _moment(made: Fields, name: bytes, moment: int) -> None:
    second = moment // 1_000_000
    made[name + b"_stamp"] = stamp_text(second)
    made[name + b"_epoch"] = b"%d" % second if second else b"0"


def _span(made: Fields, name: bytes, begin: int, finish: int) -> None:
    if not (begin and finish):
        made[name + b"_s"] = made[name + b"_ms"] = made[name + b"_us"] = b"0"
        return
    micros = finish - begin
    made[name + b"_s"] = b"%d" % (finish // 1_000_000 - begin // 1_000_000)
    made[name + b"_ms"] = b"%d" % ((micros + 500) // 1000)
    made[name + b"_us"] = b"%d" % micros
