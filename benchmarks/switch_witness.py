"""Listens to a real FreeSWITCH beside the dialer, and writes what it says of calls to a file.

A blocking socket of its own in a process of its own: what is wrong in the dialer's Event Socket is
not wrong here.  Each event is one line of JSON; `benchmarks.switch_story` reads them.  It runs
until it is ended::

    python -m benchmarks.switch_witness --address 127.0.0.1:8021 --file events.jsonl
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from benchmarks.bare_script import Connection

EVENTS = (
    "CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_HANGUP_COMPLETE CUSTOM callcenter::info"
)
HEADERS = {
    "name": "Event-Name",
    "uuid": "Unique-ID",
    "host": "variable_cti_host",
    "a_leg": "Bridge-A-Unique-ID",
    "b_leg": "Bridge-B-Unique-ID",
    "cause": "Hangup-Cause",
    "disposition": "variable_sip_hangup_disposition",
    "action": "CC-Action",
    "agent": "CC-Agent",
    "member": "CC-Member-Session-UUID",
    "queue": "CC-Queue",
    "queue_cause": "CC-Cause",
}
"""What is kept of an event, by the names in the file; ``at`` is FreeSWITCH's clock."""


LISTENING = "LISTENING"
"""The name of the first line: from here on nothing is missing."""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--address", required=True)
    parser.add_argument("--password", default="ClueCon")
    parser.add_argument("--file", type=Path, required=True)
    given = parser.parse_args()
    host, _, port = given.address.rpartition(":")
    connection = Connection(host, int(port), given.password)
    with given.file.open("w", encoding="utf-8") as file:
        connection.ask(f"event json {EVENTS}")
        file.write(json.dumps({"at": time.time(), "name": LISTENING}) + "\n")
        while True:
            file.writelines(line_of(frame) for frame in connection.frames())
            file.flush()
            connection.read()


def line_of(frame: bytes) -> str:
    """Return the line for a frame; empty where it is no event."""
    head, _, body = frame.partition(b"\n\n")
    if b"text/event-json" not in head:
        return ""
    event = json.loads(body)
    kept = {short: event[name] for short, name in HEADERS.items() if event.get(name)}
    return json.dumps({"at": int(event["Event-Date-Timestamp"]) / 1e6, **kept}) + "\n"


if __name__ == "__main__":
    main()
