"""What is put in: the tables, the numbers, and what the simulated callees do."""

from __future__ import annotations

import json
from random import Random

from attrs import frozen

from ctidialer.contract import keys

HOST = "fs1"
QUEUES = ("numbers", "more numbers")
TASKS = ("campaign", "second campaign")
CDR_LIST = "cdr"
MAX_CALLS = 250
REDIALS = 2
"""How often a number may be placed again through its first group; the second group adds one."""

MOST_CALLS = 1 + REDIALS + 1
"""Calls that the rules allow for one number at most."""

EXPIRES_AFTER = 86_400
FAULT_TRY_INTERVAL = 300
"""Milliseconds after which a line that is out of use is tried again."""

GATEWAYS = ("a", "b")
SILENT = "138"
"""Numbers that begin so answer, and the events of their hang-up are lost."""

_NO_VERDICT = {"hangup_sipcode": [404, 480, 486, 603]}


@frozen
class Load:
    """The entries of a campaign: two lists, and members of the zset with their due times."""

    queues: dict[str, tuple[bytes, ...]]
    scheduled: tuple[tuple[bytes, float], ...]

    @property
    def entries(self) -> tuple[bytes, ...]:
        """Every entry, wherever it goes."""
        queued = [entry for entries in self.queues.values() for entry in entries]
        return (*queued, *(member for member, _ in self.scheduled))


def plan_load(seed: int, count: int, now: float) -> Load:
    """Return ``count`` numbers, each of its own: six in ten queued, four in ten scheduled.

    One in a hundred is no number at all; some ask for a call UUID of their own.
    Scheduled ones are due by 20 s after ``now`` (unix seconds).
    """
    random = Random(seed + 1)
    queues: dict[str, list[bytes]] = {name: [] for name in QUEUES}
    scheduled: list[tuple[bytes, float]] = []
    for index in range(count):
        number = _number(index, random)
        if random.random() < 0.4:
            due = round(now + random.uniform(-60.0, 20.0), 3)
            # With `expires` a number for which no line is free comes again; without, it ends.
            params = {"config": "calls", "expires": int(now) + EXPIRES_AFTER}
            scheduled.append((_document(number, random, **params), due))
        else:
            queue = QUEUES[0] if random.random() < 0.7 else QUEUES[1]
            plain = random.random() < 0.8
            queues[queue].append(number.encode() if plain else _document(number, random))
    return Load({name: tuple(some) for name, some in queues.items()}, tuple(scheduled))


def _number(index: int, random: Random) -> str:
    kind = random.random()
    if kind < 0.01:
        return f"no number {index}"
    return f"{SILENT if kind < 0.03 else '139'}{index:08d}"


def _document(number: str, random: Random, **params: object) -> bytes:
    variables = {"customer": f"客户 {number}"}
    if random.random() < 0.15:
        variables["origination_uuid"] = f"ours-{number[-9:].strip().replace(' ', '-')}"
    document = {"params": {"number": number, **params}, "variables": variables}
    return json.dumps(document, ensure_ascii=False).encode()


def tables(generation: int = 0) -> dict[str, dict[str, object]]:
    """Return the tasks, the lines, the groups and the schedule configuration, by key.

    Every ``generation`` has other names for its lines and groups; the gateways stay.
    """
    main, backup, first_line, second_line = (
        f"{name}-{generation}" for name in ("main", "backup", "a", "b")
    )
    destination = {"line_group": [main, backup], "destination_extension": "8888"}
    task = {"enable": True, "limit": MAX_CALLS // 2, **destination}
    first = {"params": {**task, "number_queue": QUEUES[0]}}
    second = {"params": {**task, "number_queue": QUEUES[1], "number_queue_side": "right"}}
    # Faults of the switch end many calls badly: the lines are not to go out of use for that.
    line = {
        "count": 10 * MAX_CALLS,
        "dialstring": "sofia/gateway/a/${destination_number}",
        "fault_try_interval": FAULT_TRY_INTERVAL,
    }
    other = {**line, "dialstring": "sofia/gateway/b/${destination_number}"}
    return {
        keys.at(keys.TASK, keys.TEMPLATE): {TASKS[0]: first, TASKS[1]: second},
        keys.at(keys.LINE, HOST): {
            first_line: {"params": line},
            second_line: {"params": other},
        },
        keys.at(keys.LINE_GROUP, HOST): {
            main: {
                "line": [[first_line]],
                "redialer_count": REDIALS,
                "rest": 100,
                "no_redialer_rule": _NO_VERDICT,
            },
            backup: {"line": [[second_line]]},
        },
        keys.at(keys.SCHEDULE_CONFIG, HOST): {"calls": {"params": destination}},
    }


def script(seed: int) -> dict[str, object]:
    """Return what the callees do."""
    ring = {"ring": [0.02, 0.4]}
    return {
        "seed": seed,
        "known_gateways": list(GATEWAYS),
        "prefixes": {SILENT: {"result": "answer", "talk": [0.2, 0.5], "lose": "hangup", **ring}},
        "mix": [
            {"weight": 64, "result": "answer", "progress": "ringing", "talk": [0.2, 1.6], **ring},
            {"weight": 3, "result": "answer", "talk": 0, **ring},
            {"weight": 12, "result": "busy", **ring},
            {"weight": 7, "result": "sip", "status": 480, "progress": "ringing", **ring},
            {"weight": 8, "result": "sip", "status": 503, **ring},
        ],
    }
