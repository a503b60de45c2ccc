"""A screen pop: says whom an agent is connected to, and when the call is over.

    pip install redis
    python pop.py 1001@default            (without an agent: for all of them)

The daemon has to tell of calls: ``[records] events = "cti_dialer_event@fs1"`` in its settings; the
stream's name goes into CTIDIALER_EVENTS, where Redis is into REDIS_URL.  Events are telling, not
booking: what has to be right in the end (bills, statistics) stands in the records.
"""

import json
import os
import sys
import time

import redis

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
STREAM = os.environ.get("CTIDIALER_EVENTS", "cti_dialer_event@fs1")
LAST_READ = "pop_example_last_read"  # ours: the id of the last event that we have shown
PATIENCE = float(os.environ.get("POP_PATIENCE", "inf"))  # seconds, then it ends


def last_read(client: redis.Redis) -> str:
    """Return the id after which to read: where we stopped, else the stream's end as it is now."""
    kept = client.get(LAST_READ)
    if kept:
        return kept
    newest = client.xrevrange(STREAM, count=1)
    return newest[0][0] if newest else "0-0"


def show(event: dict, agent: str, on_screen: set[str]) -> None:
    """Pop up at ``bridged``, close at ``ended``; fields that we do not know pass by."""
    if event["event"] == "bridged" and agent in ("", event["agent"]):
        on_screen.add(event["uuid"])
        customer = event["variables"].get("crm_customer", "-")
        print(f"pop {event['agent']} {event['number']} {customer}", flush=True)
    elif event["event"] == "ended" and event["uuid"] in on_screen:
        on_screen.remove(event["uuid"])
        print(f"close {event['number']} {event['outcome']}", flush=True)


def main() -> int:
    """Show events until our patience ends."""
    agent = sys.argv[1] if len(sys.argv) > 1 else ""
    client = redis.Redis.from_url(URL, decode_responses=True)
    end, position, on_screen = time.monotonic() + PATIENCE, "", set()
    while time.monotonic() < end:
        try:
            position = position or last_read(client)
            # "$" would lose what is written between two reads: always say where we are.
            for _, entries in client.xread({STREAM: position}, count=100, block=1000) or []:
                for entry_id, fields in entries:
                    show(json.loads(fields["event"]), agent, on_screen)
                    position = entry_id
                client.set(LAST_READ, position)
        except redis.ConnectionError as error:
            print(f"Redis is away, trying again: {error}", file=sys.stderr)
            time.sleep(1)
        except redis.RedisError as error:
            print(f"Redis: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
