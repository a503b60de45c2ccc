"""The tables of one node as they were read from Redis, and what they mean, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import field, frozen

from ctidialer.contract import fields, keys
from ctidialer.contract.document import FaultList, Params, Place, read_json
from ctidialer.contract.known_keys import Ignored
from ctidialer.contract.line_document import places, read_group, read_line
from ctidialer.contract.line_warnings import (
    keys_ignored_in_gateway,
    keys_ignored_in_group,
    keys_ignored_in_line,
)
from ctidialer.contract.schedule_document import keys_ignored_in_config, read_config
from ctidialer.contract.task_document import read_task
from ctidialer.contract.task_warnings import keys_ignored_in_task
from ctidialer.rules.tables import Documents, Tables
from ctidialer.settings import Node as NodeSettings


@frozen
class NodeTables:
    """The tables of the node ``settings`` as ``documents``, by key, and decoded."""

    settings: NodeSettings
    documents: Mapping[str, Documents]
    tables: Tables = field()

    @tables.default
    def _decoded(self) -> Tables:
        node = self.settings
        tables = Tables(node.host, node.domain, node.default_dialstring)
        for key in tables.keys_of():
            tables.replace(key, self.documents.get(key, {}))
        return tables

    def key(self, table: str) -> str:
        """Return the key of a table; of the tasks, that of the host."""
        return self.tables.keys_of(table)[-1]

    def raw(self, table: str) -> Documents:
        """Return the documents of a table that has one key."""
        return self.documents.get(self.key(table), {})

    def task_names(self) -> list[str]:
        """Return the names of all tasks, valid or not."""
        both = (self.documents.get(key, {}) for key in self.tables.keys_of(keys.TASK))
        return sorted({name for documents in both for name in documents})

    def raw_task(self, name: str) -> tuple[bytes | None, bytes | None]:
        """Return the task's document in the template and the host's own."""
        template, host = (self.documents.get(key, {}) for key in self.tables.keys_of(keys.TASK))
        return template.get(name), host.get(name)

    def task_params(self, name: str) -> Params:
        """Return the merged params of a task, valid or not, each with the place where it stands."""
        template, host = self.raw_task(name)
        return read_task(template=template, host=host, host_name=self.settings.host).merged()

    def config_params(self, name: str) -> tuple[Params, Place | None]:
        """Return the params and the variables of a schedule configuration."""
        return fields.parts(read_json(self.raw(keys.SCHEDULE_CONFIG)[name], FaultList()))

    def ignored_keys(self) -> Iterator[tuple[str, str, Iterable[Ignored]]]:
        """Yield table, name, and the keys of the document that are ignored, for each document."""
        for name in self.task_names():
            template, host = self.raw_task(name)
            task = read_task(template=template, host=host, host_name=self.settings.host)
            for document in task.present():
                yield keys.TASK, name, keys_ignored_in_task(document)
        for name, raw in self.raw(keys.LINE).items():
            yield keys.LINE, name, keys_ignored_in_line(read_line(raw, FaultList()))
        for name, raw in self.raw(keys.LINE_GROUP).items():
            yield keys.LINE_GROUP, name, keys_ignored_in_group(read_group(raw, FaultList()))
        for name, raw in self.raw(keys.GATEWAY).items():
            yield keys.GATEWAY, name, keys_ignored_in_gateway(read_group(raw, FaultList()))
        for name, raw in self.raw(keys.SCHEDULE_CONFIG).items():
            yield keys.SCHEDULE_CONFIG, name, keys_ignored_in_config(read_config(raw, FaultList()))

    def groups_named(self) -> set[str]:
        """Return every name in a ``line_group`` of a task or a schedule configuration."""
        of_tasks = (self.task_params(name) for name in self.task_names())
        of_configs = (self.config_params(name)[0] for name in self.raw(keys.SCHEDULE_CONFIG))
        every = (*of_tasks, *of_configs)
        return {name for params in every for _, name in texts_in(params.get("line_group"))}

    def lines_of_group(self, name: str) -> list[tuple[Place, str]]:
        """Return the lines that a group lists, valid or not, each with its place."""
        return list(texts_in(places(self.raw(keys.LINE_GROUP)[name]).get("line")))


def texts_in(node: Place | None) -> Iterator[tuple[Place, str]]:
    """Yield each text in a list, and in the lists in it, with its place.

    What may stand for a list (`fields.texts`) is one here, too, also where it is at fault.
    """
    if node is None:
        return
    if isinstance(node.value, list | dict):
        for item in _held(node):
            yield from texts_in(item)
        return
    text = fields.as_written(node.value)
    if text is not None and fields.is_configured(text):
        yield node, text


def _held(node: Place) -> Iterable[Place]:
    if isinstance(node.value, dict):
        return (fields.members(node) or {}).values()
    return fields.items(node) or ()
