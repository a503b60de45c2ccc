"""What is put in: the tables, the numbers, and what the simulated callees do."""

from __future__ import annotations

import json
from random import Random

from attrs import evolve, frozen

from chaos.callees import OPTING_OUT, USUAL, ZONES, Callees, zone_of
from ctidialer.contract import keys

DOMAIN = "fs1"
"""Also the name of the first host."""

QUEUES = ("numbers", "more numbers")
TASKS = ("campaign", "second campaign")
AGENT_QUEUE, AGENT_TASK, AGENT_GROUP = "numbers for agents", "agents", "sales"
"""Of a campaign with several hosts, which share these agents."""

ALL_QUEUES = (*QUEUES, AGENT_QUEUE)
AGENT_SHARE = 0.1
"""The share of all numbers that is dialed for agents."""

FOR_AGENTS = "134"
"""Numbers that begin so wait for an agent when they answer."""

CDR_LIST = "cdr"
MAX_CALLS = 250
REDIALS = 2
"""How often a number may be placed again through its first group; the second group adds one."""

MOST_CALLS = 1 + REDIALS + 1
"""Calls that the rules allow for one number in one try at most."""

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
    def opting_out(self) -> tuple[str, ...]:
        """The numbers that opt out while the campaign runs, in no order of their calls."""
        texts = (entry.decode() for entry in self.entries)
        found = (text if text[0] != "{" else json.loads(text)["params"]["number"] for text in texts)
        return tuple(sorted(one for one in found if one.startswith(OPTING_OUT)))

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
            plain = random.random() < 0.8 and zone_of(number) is USUAL
            queues[queue].append(number.encode() if plain else _document(number, random))
    return Load({name: tuple(some) for name, some in queues.items()}, tuple(scheduled))


def plan_load_for_agents(seed: int, count: int, now: float) -> Load:
    """Return ``count`` numbers as `plan_load` does, some of them for agents."""
    for_agents = round(count * AGENT_SHARE)
    load = plan_load(seed, count - for_agents, now)
    entries = tuple(f"{FOR_AGENTS}{index:08d}".encode() for index in range(for_agents))
    return evolve(load, queues={**load.queues, AGENT_QUEUE: entries})


def _number(index: int, random: Random) -> str:
    kind = random.random()
    if kind < 0.01:
        return f"no number {index}"
    return f"{_prefix(kind)}{index:08d}"


def _prefix(kind: float) -> str:
    """Return how a number begins, by a draw from 0 to 1: its callee's habits follow from that."""
    if kind < 0.03:
        return SILENT
    if kind < 0.06:
        return OPTING_OUT
    if kind < 0.20:
        return ZONES[1].prefix if kind < 0.13 else ZONES[2].prefix
    return USUAL.prefix


def _document(number: str, random: Random, **params: object) -> bytes:
    variables = {"customer": f"客户 {number}"}
    if random.random() < 0.15:
        variables["origination_uuid"] = f"ours-{number[-9:].strip().replace(' ', '-')}"
    zone = zone_of(number)
    if zone is not USUAL:
        params["timezone"] = zone.name
    document = {"params": {"number": number, **params}, "variables": variables}
    return json.dumps(document, ensure_ascii=False).encode()


def tables(callees: Callees, generation: int = 0) -> dict[str, dict[str, object]]:
    """Return the tasks, the lines, the groups and the schedule configuration, by key.

    Every ``generation`` has other names for its lines and groups; the gateways stay.
    """
    main, backup, first_line, second_line = (
        f"{name}-{generation}" for name in ("main", "backup", "a", "b")
    )
    destination = {
        "line_group": [main, backup],
        "destination_extension": "8888",
        **callees.params(),
    }
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
        keys.at(keys.LINE, DOMAIN): {
            first_line: {"params": line},
            second_line: {"params": other},
        },
        keys.at(keys.LINE_GROUP, DOMAIN): {
            main: {
                "line": [[first_line]],
                "redialer_count": REDIALS,
                "rest": 100,
                "no_redialer_rule": _NO_VERDICT,
            },
            backup: {"line": [[second_line]]},
        },
        keys.at(keys.SCHEDULE_CONFIG, DOMAIN): {"calls": {"params": destination}},
    }


def script(seed: int, *, has_agents: bool = False) -> dict[str, object]:
    """Return what the callees do.

    With agents there are callees who wait for them, and some who talk for longer than a daemon
    takes to come back.
    """
    ring = {"ring": [0.02, 0.4]}
    long = {"weight": 4, "result": "answer", "talk": [3, 9], **ring}
    answers = {"result": "answer", "talk": [3, 5], **ring}
    for_agents = [[f"^{FOR_AGENTS}[0-9]*[0-3]$", {"result": "busy", **ring}]]
    return {
        "seed": seed,
        "patterns": [*for_agents, [f"^{FOR_AGENTS}", answers]] if has_agents else [],
        "known_gateways": list(GATEWAYS),
        "prefixes": {SILENT: {"result": "answer", "talk": [0.2, 0.5], "lose": "hangup", **ring}},
        "mix": [
            {"weight": 64, "result": "answer", "progress": "ringing", "talk": [0.2, 1.6], **ring},
            {"weight": 3, "result": "answer", "talk": 0, **ring},
            {"weight": 12, "result": "busy", **ring},
            {"weight": 7, "result": "sip", "status": 480, "progress": "ringing", **ring},
            {"weight": 8, "result": "sip", "status": 503, **ring},
            *([long] if has_agents else []),
        ],
    }
