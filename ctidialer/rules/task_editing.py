"""What a change of a task does to its documents: in which one it belongs, and whether it may be."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

from attrs import evolve, frozen

from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.known_keys import doubtful
from ctidialer.contract.task_document import read_task
from ctidialer.contract.task_editing import Edit, NotEditable, Setting, edited, is_set, standing
from ctidialer.contract.task_warnings import keys_ignored_in_task
from ctidialer.rules.soundness import examined_task


class Target(enum.Enum):
    """Which document is to be changed; ``WHERE_IT_STANDS``: the one whose value counts."""

    WHERE_IT_STANDS = "where it stands"
    TEMPLATE = "template"
    HOST = "host"


@frozen
class TaskTexts:
    """The documents of one task as they stand in Redis; None = there is none.

    ``host_name`` is that of the host whose document is ``host``.
    """

    name: str
    host_name: str
    template: bytes | None
    host: bytes | None

    def key_of(self, target: Target) -> str:
        """Return the Redis key of one of the documents."""
        return keys.at(keys.TASK, self.host_name if target is Target.HOST else keys.TEMPLATE)

    def text_of(self, target: Target) -> bytes | None:
        """Return one of the documents."""
        return self.host if target is Target.HOST else self.template

    def with_text(self, target: Target, text: bytes | None) -> TaskTexts:
        """Return the documents with another one in place of one of them."""
        if target is Target.HOST:
            return evolve(self, host=text)
        return evolve(self, template=text)


@frozen
class TaskEdit:
    """A change that may be made: ``texts`` as they shall stand.

    ``warnings`` are what the task hardly means now, and did not mean before.
    """

    texts: TaskTexts
    edits: tuple[Edit, ...]
    warnings: tuple[Fault, ...] = ()

    @property
    def changes(self) -> tuple[Edit, ...]:
        """The edits that make a difference."""
        return tuple(edit for edit in self.edits if edit.changes)

    def touches(self, target: Target) -> bool:
        """Whether one of the documents changes."""
        key = self.texts.key_of(target)
        return any(edit.key == key for edit in self.changes)


def edited_task(
    texts: TaskTexts, settings: Sequence[Setting], target: Target = Target.WHERE_IT_STANDS
) -> TaskEdit:
    """Return what these settings make of a task.

    A key goes into the document whose value counts: among ``params`` the host's before the
    template's, among ``variables`` the template's.  One that stands in neither goes into the host's
    document if there is one.  Raises ContractError with all faults of the task as it would be, and
    NotEditable where there is nothing to change, or a key is not one.
    """
    if target is Target.TEMPLATE and texts.template is None:
        where = texts.key_of(target)
        raise NotEditable(f"the task {shown(texts.name)} does not stand in {where}")
    after, edits = texts, []
    for setting in settings:
        to = _target(after, setting) if target is Target.WHERE_IT_STANDS else target
        key, old = after.key_of(to), after.text_of(to)
        unsets_nothing = old is None and setting.value is None
        new = old if unsets_nothing else edited(old, [setting], key)
        before, now = (standing(text, setting.path, key) for text in (old, new))
        edits.append(Edit(setting, key, before, now))
        if before != now:
            after = after.with_text(to, new)
    _refuse_unknown(after, settings)
    return TaskEdit(after, tuple(edits), _new_warnings(texts, after))


def spoilt_elsewhere(
    before: bytes | None, edit: TaskEdit, others: Iterable[TaskTexts]
) -> tuple[str, tuple[Fault, ...]] | None:
    """Return the first host on which the new template makes a task invalid that was valid, and its
    faults; None = there is no such host.

    ``before``: the template as it was.  ``others``: the task on hosts that have a document of their
    own.
    """
    for other in others:
        was = _examined(evolve(other, template=before))
        now = _examined(evolve(other, template=edit.texts.template))
        if now[0] and not was[0]:
            return other.host_name, now[0]
    return None


def _target(texts: TaskTexts, setting: Setting) -> Target:
    order = (Target.HOST, Target.TEMPLATE)
    if setting.path[0] == "variables":
        order = (Target.TEMPLATE, Target.HOST)
    for target in order:
        if is_set(standing(texts.text_of(target), setting.path[:2], texts.key_of(target))):
            return target
    return Target.TEMPLATE if texts.host is None else Target.HOST


def _examined(texts: TaskTexts) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Return the faults and the warnings of a task."""
    try:
        found = examined_task(
            texts.name, template=texts.template, host=texts.host, host_name=texts.host_name
        )
    except ContractError as error:
        return error.faults, ()
    return found.faults, found.warnings


def _new_warnings(before: TaskTexts, after: TaskTexts) -> tuple[Fault, ...]:
    """Return the warnings that are new; raises ContractError with the faults."""
    faults, warnings = _examined(after)
    if faults:
        raise ContractError(faults)
    known = _examined(before)[1]
    return tuple(warning for warning in warnings if warning not in known)


def _refuse_unknown(texts: TaskTexts, settings: Sequence[Setting]) -> None:
    """Raise ContractError for a key that is set and is hardly meant: one that is nearly another."""
    documents = read_task(template=texts.template, host=texts.host, host_name=texts.host_name)
    given = [setting.json_path for setting in settings if setting.value is not None]
    ignored = (
        fault
        for document in documents.present()
        for fault in doubtful(keys_ignored_in_task(document))
    )
    found = [fault for fault in ignored if any(_is_within(fault.path, path) for path in given)]
    if found:
        raise ContractError(found)


def _is_within(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))
