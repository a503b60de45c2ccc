"""What ``show`` and ``status`` answer (recordings 70, 74)."""

from __future__ import annotations

import time

import msgspec

from ctidialer.switchsim.call import Call
from ctidialer.switchsim.encoding import percent_decode, to_text
from ctidialer.switchsim.heart import up_time
from ctidialer.switchsim.identity import VERSION_HUMAN
from ctidialer.switchsim.resources import read_resource
from ctidialer.switchsim.switch import Switch

_COLUMNS, _CALL_COLUMNS = (
    line.split(",") for line in read_resource("show_columns.txt").splitlines()
)
_USAGE = (
    "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like "
    "<match string>]|calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|"
    "chat|management|modules|nat_map|say|interfaces|interface_types|tasks|limits|status\n"
)


def show(switch: Switch, argument: str) -> str:
    """Answer ``show channels|calls|bridged_calls [count|like X] [as json]``."""
    words = argument.split()
    table = words[0].lower() if words else ""
    if table not in ("channels", "calls", "bridged_calls", "detailed_calls"):
        return _USAGE
    json = words[-2:] == ["as", "json"]
    rows = [] if table == "bridged_calls" else [_row(switch, call) for call in switch.shown_calls()]
    if len(words) > 2 and words[1].lower() == "like":
        rows = [row for row in rows if _is_like(row, words[2])]
    if words[1:2] == ["count"]:
        return _count(len(rows), json)
    columns = _COLUMNS if table == "channels" else _CALL_COLUMNS
    return _as_json(rows, columns) if json else _as_table(rows, columns)


def _count(number: int, json: bool) -> str:
    """Count; as JSON FreeSWITCH says the count, but as of an empty table (recording 70)."""
    return f'{{"row_count":{number},"rows":[]}}' if json else f"\n{number} total.\n"


def _as_json(rows: list[dict[str, str]], columns: list[str]) -> str:
    if not rows:
        return '{"row_count": 0}\n'
    table = [{column: row.get(column, "") for column in columns} for row in rows]
    return msgspec.json.encode({"row_count": len(rows), "rows": table}).decode()


def _as_table(rows: list[dict[str, str]], columns: list[str]) -> str:
    lines = [",".join(row.get(column, "") for column in columns) for row in rows]
    lines = [",".join(columns), *lines] if rows else []
    return "".join(f"{line}\n" for line in lines) + f"\n{len(rows)} total.\n"


def _is_like(row: dict[str, str], text: str) -> bool:
    places = ("uuid", "name", "cid_name", "cid_num", "presence_data", "accountcode")
    return any(text.strip("%").lower() in row.get(place, "").lower() for place in places)


def _row(switch: Switch, call: Call) -> dict[str, str]:
    created = int(call.fields[b"created"]) // 1_000_000
    number = call.request.number
    codec, bits = ("PCMU", "64000") if call.sip else ("L16", "128000")
    has_codec = not call.sip or call.answered
    row = {
        "uuid": call.uuid,
        "direction": "outbound",
        "created": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(created)),
        "created_epoch": str(created),
        "name": to_text(percent_decode(call.fields[b"channel"])),
        "state": "CS_EXECUTE" if call.routed else "CS_CONSUME_MEDIA",
        "cid_num": "0000000000",
        "dest": number,
        "hostname": switch.identity.switchname,
        "callstate": call.call_state.decode(),
        "callee_name": "Outbound Call",
        "callee_num": number,
        "callee_direction": "",
        "call_uuid": call.uuid,
        "initial_cid_num": "0000000000",
        "initial_dest": number,
        "initial_context": "default",
        "context": "default",
    }
    if has_codec:
        for way in ("read", "write"):
            row |= {f"{way}_codec": codec, f"{way}_rate": "8000", f"{way}_bit_rate": bits}
    return row | (_routed_row(call) if call.routed else {})


def _routed_row(call: Call) -> dict[str, str]:
    extension = "extension" in call.tags
    return {
        "cid_name": "Outbound Call",
        "cid_num": call.request.number,
        "dest": call.request.extension if extension else call.request.number,
        "application": to_text(percent_decode(call.fields[b"application"])),
        "application_data": to_text(percent_decode(call.fields[b"application_data"])),
        "dialplan": call.request.dialplan if extension else "",
        "context": call.request.context if extension else "default",
        "callee_name": "",
        "callee_num": "0000000000",
        "callee_direction": "RECV",
    }


def status(switch: Switch) -> str:
    """Answer ``status``."""
    limits, now = switch.limits, switch.now()
    left = limits.left(now)
    ready = "is not ready" if limits.paused else "is ready"
    return (
        f"UP {up_time(switch)}\n"
        f"FreeSWITCH (Version {VERSION_HUMAN}) {ready}\n"
        f"{limits.started} session(s) since startup\n"
        f"{len(switch.calls)} session(s) - peak {limits.peak}, last 5min {limits.peak} \n"
        f"{limits.per_second - left} session(s) per Sec out of max {limits.per_second},"
        f" peak {limits.peak_rate}, last 5min {limits.peak_rate} \n"
        f"{limits.max_sessions} session(s) max\n"
        "min idle cpu 0.00/96.87\n"
        "Current Stack Size/Max 240K/240K\n"
    )
