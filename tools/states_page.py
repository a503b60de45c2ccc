"""The Sphinx directive ``lease-states``: tables of docs/architecture.rst, made from the code."""

from __future__ import annotations

from collections.abc import Sequence

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ctidialer.dialer import lease_keeper
from ctidialer.dialer.lease_keeper import STATES, TRANSITIONS


def state_rows() -> list[tuple[str, str]]:
    """Return each state of the lease and what it means."""
    return [(state.name, meaning) for state, meaning in STATES.items()]


def transition_rows() -> list[tuple[str, str, str, str]]:
    """Return state, what happens, what is done, and the state after that; each as words."""
    rows = [
        (before.name, _words(event.__name__), _words(action.__name__), after.name)
        for before, event, after, action in TRANSITIONS
        if event.__name__ != "stopped"
    ]
    return [*rows, ("any", "stopped", "nothing", "stopped")]


def lines() -> list[str]:
    """Return both tables as reStructuredText."""
    return [
        *_table(("state", "meaning"), state_rows()),
        *_table(("in state", "when", "does", "and is then"), transition_rows()),
    ]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    made = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        first, *others = row
        made += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return [*made, ""]


class LeaseStates(SphinxDirective):
    """Puts the tables where it stands."""

    def run(self) -> list[nodes.Node]:
        """Make the tables."""
        self.env.note_dependency(lease_keeper.__file__)
        parent = nodes.Element()
        content = StringList(lines(), source="lease")
        self.state.nested_parse(content, self.content_offset, parent)
        made: list[nodes.Node] = parent.children
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("lease-states", LeaseStates)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
