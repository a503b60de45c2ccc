"""A bare client of Redis for what a back end may do too fast, or too large, for a careful one.

As a process it publishes notices as fast as it is told::

    python -m benchmarks.bare_redis --socket /path/redis.sock --channel config@bench \
        --rate 50000 --seconds 5 --names 1000

and prints how many it sent, as JSON.
"""

from __future__ import annotations

import argparse
import json
import socket
import time
from collections.abc import Sequence

from ctidialer.contract import keys

TICK = 0.01
READ = 1 << 20


class BareRedis:
    """A blocking connection to a unix socket."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._answers = self._socket.makefile("rb")

    def send(self, *commands: bytes) -> None:
        """Write encoded commands with one call, and read as many answers of one line."""
        self._socket.sendall(b"".join(commands))
        for _ in commands:
            answer = self._answers.readline()
            if not answer.startswith((b"+", b":")):
                raise RuntimeError(answer.decode("utf-8", "replace"))

    def close(self) -> None:
        """End the connection."""
        self._answers.close()
        self._socket.close()


def encoded(*words: str | bytes) -> bytes:
    """Return a command as Redis reads it."""
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts)


def publish(given: argparse.Namespace) -> dict[str, object]:
    """Publish notices about so many names in turn; return how many, in which time.

    All are published, on a machine that cannot keep the rate too: then it takes longer.
    """
    redis = BareRedis(given.socket)
    notices = [
        encoded("PUBLISH", given.channel, _notice(f"t{index}")) for index in range(given.names)
    ]
    began, sent, wanted = time.monotonic(), 0, int(given.seconds * given.rate)
    while sent < wanted:
        elapsed = time.monotonic() - began
        due = min(int((elapsed + TICK) * given.rate), wanted) - sent
        redis.send(*(notices[(sent + index) % len(notices)] for index in range(due)))
        sent += due
        time.sleep(max(0.0, sent / given.rate - (time.monotonic() - began)))
    took = time.monotonic() - began
    redis.close()
    return {"sent": sent, "seconds": round(took, 2), "per_second": round(sent / took)}


def _notice(name: str) -> str:
    return json.dumps({"type": "config_change", "table": keys.TASK, "key": name})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--socket", required=True)
    parser.add_argument("--channel", required=True)
    parser.add_argument("--rate", type=float, default=50_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--names", type=int, default=1000)
    print(json.dumps(publish(parser.parse_args(arguments))))


if __name__ == "__main__":
    main()
