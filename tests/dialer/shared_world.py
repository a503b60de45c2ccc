"""A daemon whose lines, gateway and task are counted over hosts; Redis is a stand-in."""

from __future__ import annotations

import json

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.store.in_flight import Dialing, InFlight
from tests.dialer.world import World

LINE = keys.counted_calls("fs1", "line", "gw1")
TRUNK = keys.counted_calls("fs1", "gateway", "trunk")
TASK = keys.counted_calls("fs1", "task", "t")


class SharedWorld(World):
    """The world, told of lines and gateways that are counted over hosts."""

    def wire(self) -> None:
        self.slots.lacks_line = self.places.questions.lacks_line
        self.slots.lacks_limit = self.places.questions.lacks_limit
        self.places.wake = self.queue_dialer.tick

    def share(self, key: str, name: str, **params: object) -> None:
        raw = json.dumps({"params": params}).encode()
        changed = self.tables.put(key, name, raw)
        if changed.table == keys.TASK:
            self.runs.update(self.tables.tasks, changed.names, self.clock.seconds())
        self.places.edited(changed.table, changed.names)
        assert not self.tables.faults, self.tables.faults

    def share_line(self, name: str = "gw1", **params: object) -> None:
        dialstring = f"sofia/gateway/{name}/${{destination_number}}"
        usual = {"count": 2, "dialstring": dialstring, "scope": "domain"}
        self.share("cti_line@fs1", name, **{**usual, **params})

    def share_task(self, **params: object) -> None:
        usual = {"enable": True, "line_group": ["main", "backup"], "limit": 2, "number_queue": "q"}
        more = {"destination_extension": "8888", "limit_scope": "all"}
        self.share("cti_queue_dialer_task@fs1", "t", **{**usual, **more, **params})


def in_flight(entry_id: str, uuid: str) -> InFlight:
    """Return an entry of an earlier daemon, on a line and of a task that are gone."""
    dialing = Dialing(uuid, "gone", "main", 1)
    return InFlight(entry_id, b"1001", 1.0, Kind.QUEUE, "q", Side.LEFT, "gone", dialing=dialing)
