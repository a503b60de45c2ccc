"""A whole campaign on this machine: Redis, switch and the real daemon, until the last number.

What ``ctidialer demo`` shows.  Everything runs in processes of its own on free loopback ports, and
is gone when the campaign is over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.internet.task import deferLater

from ctidialer.contract import keys
from ctidialer.contract.record import Record
from ctidialer.nodes.record_scan import read_records
from ctidialer.stage.audit import Audit, audit
from ctidialer.stage.daemon import DaemonProcess, start_daemon
from ctidialer.stage.redis import RedisProcess, start_redis
from ctidialer.stage.switch import SwitchProcess, start_switch
from ctidialer.stage.witness import Witness
from ctidialer.store.address import parse_address
from ctidialer.store.link import Link
from ctidialer.switchsim.calllog import read_call_log


class Reactor(IReactorTime, IReactorProcess):
    """What a campaign needs of the reactor."""


HOST = "demo"
TASK = "demo"
QUEUE = "demo_numbers"
LOOK = 0.1
"""Seconds between two looks at how far the campaign has got."""

STALLED = 90.0
"""Seconds without any new record after which the campaign is given up."""

BATCH = 1000
PASSWORD = "simulated"

NULL_ENDPOINT = "null/${destination_number}"
"""FreeSWITCH's endpoint that answers at once and calls nobody."""


@frozen
class FreeSwitch:
    """A real FreeSWITCH to dial through; by default every call goes to its null endpoint."""

    address: str
    password: str
    dialstring: str = NULL_ENDPOINT
    extension: str = "sleep:300,hangup:NORMAL_CLEARING"
    dialplan: str = "inline"
    context: str = "default"


@frozen
class Plan:
    """What to dial: ``cps`` 0 = no rate limit; ``freeswitch`` None = the simulated switch."""

    numbers: int = 500
    cps: float = 0.0
    limit: int = 100
    seed: int = 1
    freeswitch: FreeSwitch | None = None


@frozen
class Snapshot:
    """How far a campaign has got."""

    total: int
    queued: int
    in_flight: int
    recorded: int

    @property
    def done(self) -> bool:
        """Whether every number has its record."""
        return self.recorded >= self.total and not self.in_flight


@frozen
class Report:
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

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that is not as it should be, as sentences."""
        faults = (*self.audit.faults, *self.unlike)
        if self.status in (0, -15, 143):
            return faults
        return (*faults, f"the daemon ended with status {self.status}")


class CampaignFailed(Exception):
    """The campaign could not be brought to its end; the message says why."""


class Campaign:
    """One campaign in ``directory``; ``watch`` is shown every snapshot."""

    def __init__(
        self, reactor: Reactor, plan: Plan, directory: Path, watch: Callable[[Snapshot], None]
    ) -> None:
        self._reactor = reactor
        self._plan = plan
        self._directory = directory
        self._watch = watch
        self._redis: RedisProcess
        self._link: Link
        self._switch: SwitchProcess | None = None
        self._witness: Witness | None = None
        self._daemon: DaemonProcess | None = None

    async def run(self) -> Report:
        """Dial the whole campaign and audit it; raises CampaignFailed, NoServer or StoreError."""
        try:
            await self._start()
            await self._until_done()
            assert self._daemon is not None
            status = await self._daemon.stop()
            return await self._report(status)
        finally:
            await self._end()

    async def _start(self) -> None:
        self._redis = await start_redis(self._reactor, self._directory / "redis")
        self._link = Link(self._reactor, parse_address(self._redis.url))
        self._link.start()
        await self._link.when_up(10)
        if self._plan.freeswitch is None:
            directory = self._directory / "switch"
            directory.mkdir()
            self._switch = await start_switch(
                self._reactor,
                directory,
                script=demo_script(self._plan.seed),
                password=PASSWORD,
            )
        else:
            real = self._plan.freeswitch
            self._witness = Witness(self._reactor, real.address, real.password, HOST)
            await self._witness.start(10)
        await self._load()
        self._daemon = start_daemon(self._reactor, self._directory, self._settings())

    async def _load(self) -> None:
        """Write the tables and the numbers as a back end would."""
        tables = demo_tables(self._plan)
        for key, documents in tables.items():
            for name, document in documents.items():
                await self._link.call("HSET", key, name, json.dumps(document))
        entries = demo_entries(self._plan.numbers)
        for start in range(0, len(entries), BATCH):
            await self._link.call("RPUSH", QUEUE, *entries[start : start + BATCH])

    def _settings(self) -> str:
        freeswitch = self._plan.freeswitch
        if freeswitch is None:
            assert self._switch is not None
            freeswitch = FreeSwitch(f"127.0.0.1:{self._switch.port}", PASSWORD)
        return "\n".join(
            [
                f'[node]\nhost = "{HOST}"',
                f"[redis]\nurl = {json.dumps(self._redis.url)}",
                f"[freeswitch]\naddress = {json.dumps(freeswitch.address)}",
                f"password = {json.dumps(freeswitch.password)}",
                "",
            ]
        )

    async def _until_done(self) -> None:
        assert self._daemon is not None
        last, since = None, self._reactor.seconds()
        while True:
            snapshot = await self._look()
            self._watch(snapshot)
            if snapshot.done:
                return
            if snapshot != last:
                last, since = snapshot, self._reactor.seconds()
            if not self._daemon.running:
                raise CampaignFailed(f"the daemon has ended:\n{self._daemon.last_words()}")
            if self._reactor.seconds() - since > STALLED:
                raise CampaignFailed(
                    f"nothing has moved for {STALLED:.0f} s:\n{self._daemon.last_words()}"
                )
            await deferLater(self._reactor, LOOK)

    async def _look(self) -> Snapshot:
        queued = await self._link.call("LLEN", QUEUE)
        in_flight = await self._link.call("HLEN", keys.in_flight(HOST))
        recorded = await self._link.call("XLEN", keys.records(HOST))
        assert isinstance(queued, int)
        assert isinstance(in_flight, int)
        assert isinstance(recorded, int)
        return Snapshot(self._plan.numbers, queued, in_flight, recorded)

    async def _report(self, status: int) -> Report:
        records = await read_records(self._link, keys.records(HOST))
        entries = demo_entries(self._plan.numbers)
        redis = self._redis.description
        if self._switch is not None:
            originates = read_call_log(self._switch.log_path).originates
            dialed = [line.uuid_asked for line in originates]
            found = audit(entries, records, dialed)
            return Report(found, records, status, redis, "simulated", len(dialed))
        witness = self._witness
        assert witness is not None
        found = audit(entries, records, None)
        switch = f"FreeSWITCH {witness.version}"
        calls = witness.created.total()
        return Report(found, records, status, redis, switch, calls, witness.compare(records))

    async def _end(self) -> None:
        if self._daemon is not None and self._daemon.running:
            await self._daemon.kill()
        if self._switch is not None:
            await self._switch.kill()
        if self._witness is not None:
            await self._witness.stop()
        if hasattr(self, "_link"):
            await self._link.stop()
        if hasattr(self, "_redis"):
            await self._redis.stop()


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
            {"weight": 1, "result": "gateway_down"},
        ],
    }
