r"""Tells ctidialer what the agents of a back end do, so that it dials as much as they can take.

    pip install redis
    printf '2001 idle\n2002 talk\n' | python agents.py sales

Each line of the input is an agent and what he does from now on: idle, ring, talk, wrap, rest or
out.  A task names the group: ``"agent_group": "sales"``.  When the input ends, all of them have
gone home.  Where Redis is says REDIS_URL; CTIDIALER_DOMAIN is ``domain`` in the daemon's settings,
by default this machine's name.
"""

import json
import os
import select
import socket
import sys
import time

import redis

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
DOMAIN = os.environ.get("CTIDIALER_DOMAIN") or socket.gethostname()
TABLE, HEART = f"cti_agent@{DOMAIN}", f"cti_agent_heart@{DOMAIN}"
STATES = ("idle", "ring", "talk", "wrap", "rest", "out")
EVERY, LASTS = 3.0, 10  # seconds: how often the heart is renewed, and how long it lasts


def publish(client: redis.Redis, agent: str) -> None:
    """Say that an agent has changed: without it the daemon sees it a second later."""
    notice = {"type": "config_change", "table": "cti_agent", "key": agent}
    client.publish("config@all", json.dumps(notice))


def tell(client: redis.Redis, group: str, known: dict, changed: set[str]) -> None:
    """Write who has changed, and renew the heart."""
    for agent in sorted(changed):
        state, since = known[agent]
        params = {"group": [group], "state": state, "time": since}
        client.hset(TABLE, agent, json.dumps({"params": params}))
        publish(client, agent)
        changed.discard(agent)
    # Here and nowhere else: if this program hangs or dies, nobody is called for its agents.
    client.set(HEART, 1, ex=LASTS)


def go_home(client: redis.Redis, known: dict) -> None:
    """Take our agents out; the heart may be needed by others, and ends by itself."""
    for agent in known:
        client.hdel(TABLE, agent)
        publish(client, agent)


def take(line: str, known: dict, changed: set[str]) -> None:
    """Note what a line says."""
    agent, _, state = line.strip().partition(" ")
    if state not in STATES:
        print(f"not an agent and a state: {line.strip()!r}", file=sys.stderr)
    elif known.get(agent, ("", 0))[0] != state:
        known[agent] = (state, round(time.time(), 3))  # since when: it is worth much in predicting
        changed.add(agent)


def run(client: redis.Redis, group: str) -> None:
    """Follow the input to its end."""
    known: dict[str, tuple[str, float]] = {}
    changed: set[str] = set()
    unread = b""
    while True:
        try:
            tell(client, group, known, changed)
            ready, _, _ = select.select([0], [], [], EVERY)
            read = os.read(0, 65536) if ready else None
            if read == b"":
                go_home(client, known)
                return
            *lines, unread = (unread + (read or b"")).split(b"\n")
            for line in lines:
                take(line.decode("utf-8", "replace"), known, changed)
        except redis.ConnectionError as error:
            print(f"Redis is away, trying again: {error}", file=sys.stderr)
            time.sleep(1)
            changed.update(known)  # it may have lost what we wrote


def main() -> int:
    """Tell of the agents of one group."""
    if len(sys.argv) != 2:
        print("usage: python agents.py GROUP", file=sys.stderr)
        return 2
    try:
        run(redis.Redis.from_url(URL, decode_responses=True), sys.argv[1])
    except redis.RedisError as error:
        print(f"Redis: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
