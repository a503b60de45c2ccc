"""The documents of a queue-dialing task, made into one task (docs/redis-contract.rst)."""

from __future__ import annotations

from attrs import frozen

from ctidialer.contract import agent_dialing, fields, keys
from ctidialer.contract.after_call import read_after_call
from ctidialer.contract.agent_dialing import read_agents
from ctidialer.contract.callee_document import read_callee_rules
from ctidialer.contract.document import FaultList, Params, Place, read_json, shown
from ctidialer.contract.hours_document import WORK_HOUR_SPELLINGS, read_hours
from ctidialer.contract.problems import Problem
from ctidialer.contract.task import Destination, LimitScope, Side, Task
from ctidialer.contract.variables import read_configured_variables

_ABORTS_FREESWITCH = "undef"


@frozen
class TaskDocument:
    """One of the documents of a task: its ``params`` without nulls, its ``variables``."""

    root: Place
    home: Place
    params: dict[str, Place]
    variables: Place | None


@frozen
class TaskDocuments:
    """What stands in Redis of one task; the host's document comes after the template's."""

    template: TaskDocument | None
    host: TaskDocument | None
    faults: FaultList

    def present(self) -> tuple[TaskDocument, ...]:
        """Return the documents there are, the template's first."""
        return tuple(one for one in (self.template, self.host) if one is not None)

    def merged(self) -> Params:
        """Return the params, the host's value before the template's, key by key.

        A key that is missing in both is reported for the document that should have it: the
        template, or the host's where that is all there is.  Of a task with ``"enable": false``
        nothing need be there.
        """
        members: dict[str, Place] = {}
        for document in self.present():
            members |= _one_spelling(document.params)
        home = self.present()[0].home
        return Params(members, home, not self.faults and not _is_switched_off(members))


def decode_task(name: str, *, template: bytes | None, host: bytes | None, host_name: str) -> Task:
    """Return the task ``name`` of the host ``host_name`` from the JSON of the two hashes.

    ``template`` and ``host`` are the field's values in ``cti_queue_dialer_task@template`` and
    ``cti_queue_dialer_task@<host_name>``, None = there is no such field.  A document that is
    malformed makes the task invalid even where the other one would do.  A task that is switched off
    may be incomplete, but what it says must be well-formed.

    Raises ContractError with every fault of both.
    """
    documents = read_task(template=template, host=host, host_name=host_name)
    task = task_of(name, documents)
    documents.faults.settle()
    return task


def read_task(*, template: bytes | None, host: bytes | None, host_name: str) -> TaskDocuments:
    """Return the documents of one task; their faults are noted, not raised.

    Raises ContractError where there is no document at all.
    """
    faults = FaultList()
    documents = TaskDocuments(
        template=_document(template, keys.at(keys.TASK, keys.TEMPLATE), faults),
        host=_document(host, keys.at(keys.TASK, host_name), faults),
        faults=faults,
    )
    if not documents.present():
        Place(None, "$", faults, keys.at(keys.TASK, host_name)).fault(Problem.MISSING.of())
        faults.settle()
    return documents


def _document(raw: bytes | None, key: str, faults: FaultList) -> TaskDocument | None:
    if raw is None:
        return None
    root = read_json(raw, faults, key)
    found = fields.members(root) or {}
    home = found.get("params", root.member("params", {}))
    return TaskDocument(root, home, fields.members(home) or {}, found.get("variables"))


def _one_spelling(params: dict[str, Place]) -> dict[str, Place]:
    """Return ``params`` with working hours and agents as usual, however they are spelt."""
    params = agent_dialing.one_spelling(params)
    spelt = next((name for name in WORK_HOUR_SPELLINGS if name in params), None)
    if spelt is None:
        return params
    return {**params, "work_hour": params[spelt]}


def _is_switched_off(params: dict[str, Place]) -> bool:
    node = params.get("enable")
    return node is not None and fields.flag(Place(node.value, "$", FaultList())) is False


def task_of(name: str, documents: TaskDocuments) -> Task:
    """Return the task in its documents; what is wrong with them is noted there."""
    params = documents.merged()
    queues = _queues(params)
    return Task(
        name=name,
        enabled=params.optional("enable", fields.flag, False),
        line_groups=params.required("line_group", fields.some_texts, ()),
        limit=params.required("limit", fields.whole, 0),
        cps=params.optional("cps", fields.rate, None),
        number_queue=queues[0],
        further_queues=queues[1:],
        destination=read_destination(params),
        hours=read_hours(params),
        queue_side=params.optional("number_queue_side", _side, Side.LEFT),
        host_variables=_variables(documents.host),
        template_variables=_variables(documents.template),
        after_call=read_after_call(params),
        brake_after=params.optional("brake_after", fields.whole, None),
        agents=read_agents(params),
        callee=read_callee_rules(params),
        limit_scope=params.optional("limit_scope", _limit_scope, LimitScope.HOST),
        cps_scope=params.optional("cps_scope", _limit_scope, LimitScope.HOST),
    )


def _limit_scope(node: Place) -> LimitScope | None:
    return fields.one_of(node, LimitScope)


def _queues(params: Params) -> tuple[str, ...]:
    """Return the lists of numbers; a blank name where the document names none rightly."""
    names: tuple[str, ...] = params.required("number_queue", fields.some_texts, ())
    return tuple(dict.fromkeys(names)) or ("",)


def read_destination(params: Params) -> Destination:
    """Return where an answered call goes."""
    return Destination(
        extension=params.required("destination_extension", _extension, ""),
        dialplan=params.optional("destination_dialplan", fields.word, "XML"),
        context=params.optional("destination_context", fields.word, "default"),
    )


def _extension(node: Place) -> str | None:
    extension = fields.word(node)
    if extension is not None and extension.lower() == _ABORTS_FREESWITCH:
        node.fault(Problem.UNDEF.of())
        return None
    return extension


def _side(node: Place) -> Side | None:
    value = fields.normalised(node.value).lower() if isinstance(node.value, str) else None
    if value not in ("left", "right"):
        node.fault(Problem.NO_SIDE.of(value=shown(node.value)))
        return None
    return Side(value)


def _variables(document: TaskDocument | None) -> dict[str, str]:
    return {} if document is None else read_configured_variables(document.variables)
