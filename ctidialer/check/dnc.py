"""The do-not-call lists that tasks, configurations and the settings name.

Pure: tables and the types of keys in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from ctidialer.check.callees import CalleeDocument, callee_documents
from ctidialer.check.findings import Finding, Severity
from ctidialer.check.node_tables import NodeTables, texts_in
from ctidialer.check.sentences import Sentence
from ctidialer.contract.document import shown

MISSING = "none"
"""What Redis's TYPE says of a key that is not there."""

_LISTS = ("set", "hash")


@frozen
class ListUse:
    """A place that names a list; ``is_written``: the daemon puts numbers on it."""

    list: str
    key: str
    name: str
    path: str
    is_written: bool = False


def lists_used(of: NodeTables, of_settings: Sequence[str]) -> tuple[ListUse, ...]:
    """Return every place that names a list; ``of_settings``: those of ``[compliance] dnc``."""
    in_settings = (
        ListUse(name, "settings", "", f"$.compliance.dnc[{index}]")
        for index, name in enumerate(of_settings)
    )
    documents = callee_documents(of)
    return (*in_settings, *(use for document in documents for use in _used(document)))


def list_findings(
    of: NodeTables, uses: Sequence[ListUse], kinds: Mapping[str, str], of_settings: Sequence[str]
) -> Iterator[Finding]:
    """Yield what is to be said of the lists; ``kinds``: what Redis's TYPE says of each key."""
    written = {use.list for use in uses if use.is_written}
    for use in uses:
        yield from _of_use(use, kinds[use.list], use.list in written)
    for document in callee_documents(of):
        added, heeded = document.callee.dnc_add, (*document.callee.dnc, *of_settings)
        if added is not None and added not in heeded:
            problem = Sentence.OPT_OUT_UNHEEDED.of(list=shown(added))
            yield document.at(document.params.get("dnc_add"), Severity.WARNING, problem)


def _used(document: CalleeDocument) -> Iterator[ListUse]:
    for name in ("dnc", "dnc_add"):
        for place, text in texts_in(document.params.get(name)):
            key = place.key or document.key
            yield ListUse(text, key, document.name, place.path, name == "dnc_add")


def _of_use(use: ListUse, kind: str, comes_by_itself: bool) -> Iterator[Finding]:
    """Yield what is wrong with one use; a list that opt-outs fill need not be there yet."""
    if kind in _LISTS:
        return
    if kind != MISSING:
        sentence = Sentence.LIST_UNWRITABLE if use.is_written else Sentence.LIST_UNREADABLE
        problem = sentence.of(list=shown(use.list), found=kind)
        yield Finding.of(Severity.FAULT, use.key, use.name, use.path, problem)
    elif not comes_by_itself:
        problem = Sentence.LIST_MISSING.of(list=shown(use.list))
        yield Finding.of(Severity.WARNING, use.key, use.name, use.path, problem)
