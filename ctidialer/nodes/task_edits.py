"""Changes the document of a task: valid or not at all, published, and told in the daemons' logs."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.control import Edited, Order, edit_field
from ctidialer.contract.document import shown
from ctidialer.contract.faults import Fault
from ctidialer.contract.notice import ConfigChange, encode_notice
from ctidialer.contract.task_editing import Setting
from ctidialer.nodes.reader import NodeReader
from ctidialer.rules.task_editing import (
    Target,
    TaskEdit,
    TaskTexts,
    edited_task,
    spoilt_elsewhere,
)
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.store.task_texts import TaskTextStore

MAX_TRIES = 10
"""Tries to write a document that others write at the same time."""

MAX_TOLD = 1000
"""Characters of what the log says of one change."""


class SpoilsOthers(ValueError):
    """The change would make the task invalid on ``host``, where it is valid now."""

    def __init__(self, host: str, faults: Sequence[Fault]) -> None:
        super().__init__(host)
        self.host = host
        self.faults = tuple(faults)


@frozen
class EditDone:
    """What was changed, and which daemons were told: those of the hosts ``told``."""

    edit: TaskEdit
    told: tuple[str, ...]


class TaskEdits:
    """Changes tasks as they are seen by the host ``host``."""

    def __init__(self, link: Link, nodes: NodeReader, host: str) -> None:
        self._link = link
        self._nodes = nodes
        self._host = host
        self._reading = NodeReading(link, host)
        self._store = TaskTextStore(link)

    async def change(
        self, name: str, settings: Sequence[Setting], target: Target, order: Order
    ) -> EditDone:
        """Make these settings of the task ``name``, which is there.

        Raises ContractError, NotEditable and SpoilsOthers where it may not be, StoreError.
        """
        for _ in range(MAX_TRIES):
            before = await self._read(name)
            edit = edited_task(before, settings, target)
            await self._check_others(before, edit)
            hosts = await self._hosts_of(edit)
            if not edit.changes or await self._write(before, edit, order, hosts):
                await self._publish(edit)
                return EditDone(edit, tuple(hosts))
        raise StoreError(f"others change the task {shown(name)} all the time; nothing was changed")

    async def _read(self, name: str, host: str | None = None) -> TaskTexts:
        host = host or self._host
        key, template = (keys.at(keys.TASK, one) for one in (host, keys.TEMPLATE))
        return TaskTexts(
            name,
            host,
            await self._reading.read_field(template, name),
            await self._reading.read_field(key, name),
        )

    async def _check_others(self, before: TaskTexts, edit: TaskEdit) -> None:
        """Raise SpoilsOthers if the new template does not fit what other hosts say of the task."""
        if not edit.touches(Target.TEMPLATE):
            return
        hosts = await self._nodes.suffixes(keys.at(keys.TASK, ""))
        others = [one for one in hosts if one not in (keys.TEMPLATE, self._host)]
        texts = [await self._read(before.name, host) for host in others]
        spoilt = spoilt_elsewhere(before.template, edit, (one for one in texts if one.host))
        if spoilt is not None:
            raise SpoilsOthers(*spoilt)

    async def _hosts_of(self, edit: TaskEdit) -> list[str]:
        """Return the hosts with a daemon that the change concerns."""
        hosts = await self._nodes.suffixes(keys.lease(""))
        everywhere = edit.touches(Target.TEMPLATE)
        return [host for host in hosts if everywhere or host == self._host]

    async def _write(
        self, before: TaskTexts, edit: TaskEdit, order: Order, hosts: Sequence[str]
    ) -> bool:
        after, what = edit.texts, "; ".join(one.told() for one in edit.changes)[:MAX_TOLD]
        return await self._store.replace(
            before.name,
            before.host_name,
            (before.template, before.host),
            (
                after.template if edit.touches(Target.TEMPLATE) else None,
                after.host if edit.touches(Target.HOST) else None,
            ),
            (edit_field(before.name), Edited(order, what).encode()),
            hosts,
        )

    async def _publish(self, edit: TaskEdit) -> None:
        """Publish even if nothing changed: an earlier try may have failed after its write."""
        everywhere = edit.touches(Target.TEMPLATE) or not edit.changes
        channel = keys.at(keys.CHANGE_CHANNEL, keys.EVERY_HOST if everywhere else self._host)
        name = edit.texts.name
        for table, field in ((keys.TASK, name), (keys.CONTROL, edit_field(name))):
            await self._link.call("PUBLISH", channel, encode_notice(ConfigChange(table, field)))
