"""Runs a command against the HTTP API of a working node, then ends the node.

The node has Redis, a simulated switch and the daemon, each in a process of its own, with tasks of
several states, lines, scheduled numbers and records; calls go on while the command runs.  In the
command ``{url}`` and ``{token}`` stand for where the API is::

    .venv/bin/python tools/api_node.py curl -H "Authorization: Bearer {token}" {url}/api/status
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread

from ctidialer.contract import keys
from ctidialer.stage.stage import Stage

HOST = "api"
TOKEN = "a-token-of-this-node-alone"
SCRIPT = {
    "default": {"talk": 0.2},
    "numbers": {"13800000007": {"result": "busy"}, "13800000008": {"result": "no_answer"}},
}


def task(**params: object) -> dict[str, object]:
    """Return the document of a task that dials ``q``."""
    usual = {
        **{"enable": True, "line_group": ["g"], "limit": 3, "cps": 5, "number_queue": "q"},
        "destination_extension": "8888",
    }
    return {"params": {**usual, **params}, "variables": {"campaign": "2026 autumn"}}


def tables() -> dict[str, dict[str, object]]:
    """Return tables in which something is right, wrong, and hardly meant."""
    return {
        keys.at(keys.TASK, keys.TEMPLATE): {
            "t": task(),
            "t/任务": task(number_queue="q2", limti=1, line_group=["g", "carrier"]),
            "paused": task(limit=0),
            "closed": task(work_hour=[{"begin": "00:00", "end": "00:01"}], timezone="Etc/GMT+12"),
            "off": task(enable=False),
            "broken": "{",
            "faulty": task(limit="many", work_week=[9]),
        },
        keys.at(keys.LINE, HOST): {
            "l": {"params": {"count": 5, "dialstring": "sofia/gateway/gw/${destination_number}"}},
            "doubtful": {"params": {"dialstring": "sofia/gateway/gw/${number}"}},
            "bad": {"params": {"count": "x"}},
        },
        keys.at(keys.LINE_GROUP, HOST): {"g": {"line": [["l"], ["doubtful", "none"]]}},
        keys.at(keys.SCHEDULE_CONFIG, HOST): {
            "callback": {"params": {"line_group": ["g"], "destination_extension": "8888"}},
            "wrong": "[]",
        },
    }


async def fill(stage: Stage) -> None:
    """Write tables and numbers."""
    back_end = stage.back_end
    await back_end.write_tables(tables())
    await back_end.push("q", [str(13_800_000_000 + index) for index in range(20_000)])
    await back_end.push("q2", ["13800000001", "not a number", '{"params":{"number":"1380"}}'])
    schedule = keys.at(keys.SCHEDULE_NUMBER, HOST)
    for delay, config in ((0, "callback"), (0, "none"), (3600, "callback")):
        number = {"params": {"number": f"139{delay:08d}", "config": config}}
        await stage.call("ZADD", schedule, str(time.time() + delay), json.dumps(number))


async def run(words: Sequence[str]) -> int:
    """Run a command beside a node; return its exit status."""
    with TemporaryDirectory(prefix="ctidialer-api-") as folder:
        stage = Stage(reactor, Path(folder), HOST)
        try:
            await stage.start_redis()
            await stage.start_switch(SCRIPT)
            await fill(stage)
            port = _free_port()
            http = f'[http]\nlisten = "127.0.0.1:{port}"\ntoken = "{TOKEN}"'
            stage.start_daemon(more=http)
            await stage.until_recorded(20)
            where = {"url": f"http://127.0.0.1:{port}", "token": TOKEN}
            command = [_filled(word, where) for word in words]
            status = await deferToThread(subprocess.call, command)
            stage.check_daemon()
            return status
        finally:
            await stage.end()


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Run from the command line."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)

    async def started() -> None:
        status = await run(sys.argv[1:])
        if status:
            raise SystemExit(status)

    react(lambda _: Deferred.fromCoroutine(started()))


if __name__ == "__main__":
    main()
