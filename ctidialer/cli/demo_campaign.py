"""A whole campaign on this machine: Redis, switch and the real daemon, until the last number.

What ``ctidialer demo`` shows.  Everything runs in processes of its own on free loopback ports, and
is gone when the campaign is over.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from ctidialer import settings
from ctidialer.contract import keys
from ctidialer.contract.agent_dialing import DialMode
from ctidialer.contract.record import Record
from ctidialer.nodes.pacing import read_pacing
from ctidialer.stage.agents import StageAgents
from ctidialer.stage.audit import Audit, audit
from ctidialer.stage.back_end import StageProgress
from ctidialer.stage.stage import Stage
from ctidialer.stage.witness import Witness

HOST = "demo"
TASK = "demo"
QUEUE = "demo_numbers"
GROUP = "sales"
HANDLE_TIME = (1.1, 0.7)
"""Of the lognormal seconds for which an agent is busy: 3.8 on average."""

TOLD_WITHIN = 1.2
"""Seconds within which the daemon has written what it has counted."""

LOOK_INTERVAL = 0.1
"""Seconds between two looks at how far the campaign has got."""

STALL_TIMEOUT = 90.0
"""Seconds without any new record after which the campaign is given up."""

NULL_ENDPOINT = "null/${destination_number}"
"""FreeSWITCH's endpoint that answers at once and calls nobody."""


@frozen
class DemoSwitch:
    """A real FreeSWITCH to dial through; by default every call goes to its null endpoint."""

    address: str
    password: str
    dialstring: str = NULL_ENDPOINT
    extension: str = "sleep:300,hangup:NORMAL_CLEARING"
    dialplan: str = "inline"
    context: str = "default"


@frozen
class Plan:
    """What to dial: ``cps`` 0 = no rate limit; ``freeswitch`` None = the simulated switch.

    ``agents`` take the calls in dialing mode ``mode``; 0 = a fixed number of calls at once.
    ``http``: the port of loopback on which the daemon serves its dashboard, 0 = none.
    """

    numbers: int = 500
    cps: float = 0.0
    limit: int = 100
    seed: int = 1
    freeswitch: DemoSwitch | None = None
    agents: int = 0
    mode: str = DialMode.PREDICTIVE.value
    http: int = 0

    @property
    def daemon_tables(self) -> str:
        """Further tables of the daemon's settings."""
        return f'[http]\nlisten = "127.0.0.1:{self.http}"' if self.http else ""


@frozen
class AgentFigures:
    """How the agents fared; ``use``: the share of their time that they were busy, 0 to 1.

    ``answered`` by people, ``abandoned`` of them, as the daemon has counted them.
    """

    agents: int
    mode: str
    use: float
    answered: int
    abandoned: int


@frozen
class DemoReport:
    """How a campaign went; ``status`` is the daemon's exit status after its drain.

    ``calls`` is how many the switch made by its own account; ``unlike``: where a real FreeSWITCH
    was seen to do something else than the records say.
    """

    audit: Audit
    records: tuple[Record, ...]
    status: int
    redis: str
    switch: str
    calls: int
    unlike: tuple[str, ...] = ()
    agents: AgentFigures | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that is not as it should be, as sentences."""
        faults = (*self.audit.faults, *self.unlike)
        if self.status in (0, -15, 143):
            return faults
        return (*faults, f"the daemon ended with status {self.status}")


class Campaign:
    """One campaign in ``directory``; ``watcher`` is shown how far it has got, again and again.

    ``begun`` is called with the URL of its Redis once the daemon runs.
    """

    def __init__(
        self,
        reactor: Any,
        plan: Plan,
        directory: Path,
        watcher: Callable[[StageProgress], None],
        begun: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._watcher = watcher
        self._begun = begun
        self._stage = Stage(reactor, directory, HOST)
        self._witness: Witness | None = None
        self._agents: StageAgents | None = None

    async def run(self) -> DemoReport:
        """Dial the whole campaign and audit it; raises StageFailed, NoServer or StoreError."""
        try:
            await self._stage.start_redis()
            freeswitch = await self._switch()
            await self._stage.back_end.write_tables(demo_tables(self._plan))
            await self._stage.back_end.push(QUEUE, demo_entries(self._plan.numbers))
            await self._hire()
            daemon = self._stage.start_daemon(freeswitch, more=self._plan.daemon_tables)
            self._begun(self._stage.redis.url)
            await self._stage.watch(self._look, self._is_done, STALL_TIMEOUT, LOOK_INTERVAL)
            figures = await self._agent_figures()
            status = await daemon.stop()
            return evolve(await self._report(status), agents=figures)
        finally:
            if self._witness is not None:
                await self._witness.stop()
            if self._agents is not None:
                self._agents.end()
            await self._stage.end()

    async def _switch(self) -> settings.FreeSwitch:
        """Start the simulated switch, or a witness beside the real one; return where it is."""
        real = self._plan.freeswitch
        if real is None:
            script = agent_script if self._plan.agents else demo_script
            await self._stage.start_switch(script(self._plan.seed))
            return self._stage.freeswitch()
        self._witness = Witness(self._stage.reactor, real.address, real.password, HOST)
        await self._witness.start(10)
        return settings.FreeSwitch(address=real.address, password=real.password)

    async def _hire(self) -> None:
        """Let the agents come to work, if there are any."""
        plan, chance = self._plan, random.Random(self._plan.seed)
        if plan.agents:
            self._agents = StageAgents(
                self._stage, GROUP, plan.agents, lambda: chance.lognormvariate(*HANDLE_TIME)
            )
            await self._agents.start()

    async def _agent_figures(self) -> AgentFigures | None:
        if self._agents is None:
            return None
        use = self._agents.use()
        await self._stage.pause(TOLD_WITHIN)
        found = await read_pacing(self._stage.link, HOST, TASK)
        told = found.pacing if found else None
        answered, abandoned = (told.answered, told.abandoned) if told else (0, 0)
        return AgentFigures(self._plan.agents, self._plan.mode, use, answered, abandoned)

    async def _look(self) -> StageProgress:
        progress = await self._stage.back_end.progress([QUEUE])
        self._watcher(progress)
        return progress

    def _is_done(self, progress: StageProgress) -> bool:
        return progress.recorded >= self._plan.numbers and not progress.in_flight

    async def _report(self, status: int) -> DemoReport:
        records = await self._stage.records()
        entries = demo_entries(self._plan.numbers)
        redis = self._stage.redis.description
        witness = self._witness
        if witness is None:
            dialed = [line.uuid_asked for line in self._stage.call_log().originates]
            found = audit(entries, records, dialed)
            return DemoReport(found, records, status, redis, "simulated", len(dialed))
        found = audit(entries, records, None)
        switch = f"FreeSWITCH {witness.version}"
        calls = witness.created.total()
        return DemoReport(found, records, status, redis, switch, calls, witness.compare(records))


def demo_entries(count: int) -> list[bytes]:
    """Return the numbers of the demo: plain text, and every tenth as JSON with a variable."""
    return [_entry(index) for index in range(count)]


def _entry(index: int) -> bytes:
    number = f"138{index:08d}"
    if index % 10:
        return number.encode()
    document = {"params": {"number": number}, "variables": {"customer": f"客户 {index}"}}
    return json.dumps(document, ensure_ascii=False).encode()


def demo_tables(plan: Plan) -> dict[str, dict[str, object]]:
    """Return the task, the lines and the line groups of the demo, by key."""
    freeswitch = plan.freeswitch
    if freeswitch is None:
        dialstring = "sofia/gateway/carrier-a/${destination_number}"
        destination = {"destination_extension": "8888"}
    else:
        dialstring = freeswitch.dialstring
        destination = {
            "destination_extension": freeswitch.extension,
            "destination_dialplan": freeswitch.dialplan,
            "destination_context": freeswitch.context,
        }
    params = {
        "enable": True,
        "line_group": ["main", "backup"],
        "limit": plan.limit,
        "number_queue": QUEUE,
        **destination,
        **({"cps": plan.cps} if plan.cps else {}),
        **({"agent_group": GROUP, "dial_mode": plan.mode} if plan.agents else {}),
    }
    line = {"count": plan.limit, "dialstring": dialstring}
    backup = {**line, "dialstring": dialstring.replace("carrier-a", "carrier-b")}
    # Only a network that fails is worth a second try through another carrier.
    callee_decided = {"hangup_sipcode": [404, 480, 484, 486, 487, 603]}
    return {
        keys.at(keys.TASK, keys.TEMPLATE): {TASK: {"params": params, "variables": {}}},
        keys.at(keys.LINE, HOST): {"carrier-a": {"params": line}, "carrier-b": {"params": backup}},
        keys.at(keys.LINE_GROUP, HOST): {
            "main": {"line": [["carrier-a"]], "no_redialer_rule": callee_decided},
            "backup": {"line": [["carrier-b"]]},
        },
    }


def demo_script(seed: int) -> dict[str, object]:
    """Return what the simulated callees do: most answer, the others as they do in life."""
    brief = {"ring": [0.1, 0.8]}
    return {
        "seed": seed,
        "mix": [
            {"weight": 60, "result": "answer", "progress": "ringing", "talk": [0.3, 1.5], **brief},
            {"weight": 4, "result": "answer", "progress": "early", "talk": [0.2, 0.6], **brief},
            {"weight": 12, "result": "busy", **brief},
            {"weight": 8, "result": "sip", "status": 480, "progress": "ringing", **brief},
            {"weight": 4, "result": "sip", "status": 603, "progress": "ringing", **brief},
            {"weight": 4, "result": "sip", "status": 404, **brief},
            {"weight": 5, "result": "sip", "status": 503, **brief},
            {"weight": 2, "result": "answer", "talk": 0, **brief},
            {"weight": 1, "result": "unreachable"},
        ],
    }


def agent_script(seed: int) -> dict[str, object]:
    """Return what callees do who are called for agents: two in five answer, and wait for one."""
    ringing = {"progress": "ringing", "progress_after": 0.2}
    return {
        "seed": seed,
        "mix": [
            {"weight": 40, "result": "answer", "ring": [0.5, 3.0], "talk": 3600, **ringing},
            {"weight": 15, "result": "busy", "ring": [0.2, 0.8]},
            {"weight": 35, "result": "sip", "status": 480, "ring": [3.0, 4.0], **ringing},
            {"weight": 10, "result": "sip", "status": 404, "ring": [0.1, 0.4]},
        ],
    }
