"""The house's rules on imports and sizes, read from the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parent.parent
MAX_MODULE_LENGTH = 350
# Tables of texts in two languages, a row for each word, are no code that has to be followed.
TABLES_OF_TEXTS = frozenset({"ctidialer.rules.reasons", "ctidialer.contract.problems"})

# What each part may import of the others; the top modules (settings, logs) stand by themselves.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "contract": frozenset(),
    "rules": frozenset({"contract"}),
    "esl": frozenset({"glue", "logs", "reconnection"}),
    "files": frozenset({"contract"}),
    "store": frozenset({"contract", "glue", "logs", "reconnection"}),
    "switchsim": frozenset({"contract", "logs"}),
    "dialer": frozenset(
        {
            "contract",
            "rules",
            "nodes",
            "esl",
            "store",
            "glue",
            "reconnection",
            "settings",
            "logs",
            "version",
        }
    ),
    "nodes": frozenset({"contract", "rules", "store", "settings"}),
    "check": frozenset({"contract", "rules", "store", "settings"}),
    "stage": frozenset(
        {"contract", "glue", "reconnection", "esl", "store", "nodes", "switchsim", "settings"}
    ),
    "web": frozenset(
        {
            "contract",
            "rules",
            "esl",
            "store",
            "nodes",
            "check",
            "glue",
            "settings",
            "logs",
            "version",
        }
    ),
    "cli": frozenset(
        {
            "contract",
            "rules",
            "esl",
            "files",
            "store",
            "nodes",
            "check",
            "stage",
            "settings",
            "version",
        }
    ),
    "settings": frozenset({"contract", "rules"}),
    "logs": frozenset(),
    "notify": frozenset({"glue"}),
    "glue": frozenset(),
    "reconnection": frozenset({"glue"}),
    "version": frozenset(),
}
# It wires everything together: it may import every part, and no part may import it.
TOPS = frozenset({"tap"})
# Where a process begins: these may import the global reactor.
BEGINNINGS = frozenset({"tap", "cli"})
PURE = frozenset({"contract", "rules", "files"})


def imports_of(source: str, module: str, *, package: bool = False) -> Iterator[str]:
    """Yield the full name of everything that ``source``, the text of ``module``, imports.

    ``from a import b`` gives ``a.b``, wherever in the text it stands; ``package`` says that the
    text is an ``__init__``, which is what a relative import starts from.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base_of(node, module, package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _base_of(node: ast.ImportFrom, module: str, package: bool) -> str:
    """Return the module from which ``node`` imports, with the dots of a relative one resolved."""
    if node.level == 0:
        return node.module or ""
    parents = module.split(".")
    kept = parents[: len(parents) - node.level + (1 if package else 0)]
    return ".".join([*kept, *([node.module] if node.module else [])])


def part_of(name: str) -> str | None:
    """Return the part of the house that ``ctidialer.<part>…`` belongs to, None = not ours."""
    words = name.split(".")
    return words[1] if words[0] == "ctidialer" and len(words) > 1 else None


def may_have_reactor(module: str) -> bool:
    """Say whether ``module`` may import the global reactor: only where a process begins."""
    return part_of(module) in BEGINNINGS or module == "ctidialer.switchsim.__main__"


def breaches(source: str, module: str, *, package: bool = False) -> list[str]:
    """Return a sentence for every import in ``source`` that the house does not allow."""
    names = sorted(set(imports_of(source, module, package=package)))
    return [why for name in names for why in _breaches_of(name, module)]


def _breaches_of(name: str, module: str) -> Iterator[str]:
    part = part_of(module)
    if part in PURE and name.split(".")[0] == "twisted":
        yield f"{module} imports {name}: {part} knows nothing of Twisted"
    if name.startswith("twisted.internet.reactor") and not may_have_reactor(module):
        yield f"{module} imports the reactor: it must be handed one"
    other = part_of(name)
    if other is not None and other != part and not _is_allowed(part, other):
        yield f"{module} imports {name}: {part} may not import {other}"


def _is_allowed(part: str | None, other: str) -> bool:
    if part in TOPS or other.startswith("__"):
        return True
    return part is not None and other in MAY_IMPORT.get(part, frozenset())


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the name and the file of every module of the package."""
    for path in sorted((ROOT / "ctidialer").rglob("*.py")):
        words = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(words[:-1] if words[-1] == "__init__" else words), path


class ImportsOfASourceTests(SynchronousTestCase):
    """The reader of imports itself."""

    def read(
        self, source: str, module: str = "ctidialer.rules.x", package: bool = False
    ) -> set[str]:
        return set(imports_of(source, module, package=package))

    def test_every_spelling_is_read(self) -> None:
        self.assertEqual(self.read("import a.b, c as d"), {"a.b", "c"})
        self.assertEqual(self.read("from a.b import c as x, d"), {"a.b.c", "a.b.d"})

    def test_an_import_inside_a_function_counts(self) -> None:
        self.assertEqual(self.read("def f():\n    if 1:\n        import a"), {"a"})

    def test_relative_imports_are_resolved(self) -> None:
        self.assertEqual(self.read("from . import a"), {"ctidialer.rules.a"})
        self.assertEqual(self.read("from ..esl import a"), {"ctidialer.esl.a"})
        self.assertEqual(
            self.read("from .y import a", "ctidialer.rules", package=True), {"ctidialer.rules.y.a"}
        )


class BreachTests(SynchronousTestCase):
    """Small sources that break one rule each, and others that break none."""

    def assert_breach(self, source: str, module: str) -> None:
        self.assertEqual(len(breaches(source, module)), 1, breaches(source, module))

    def assert_fine(self, source: str, module: str) -> None:
        self.assertEqual(breaches(source, module), [])

    def test_a_lower_part_may_not_import_a_higher_one(self) -> None:
        self.assert_breach("from ctidialer.rules import pacing", "ctidialer.contract.task")
        self.assert_breach("import ctidialer.dialer.life.calls", "ctidialer.store.claim")
        self.assert_breach("from ctidialer import web", "ctidialer.dialer.service")
        self.assert_breach("from ctidialer.tap import Options", "ctidialer.web.status")
        self.assert_breach("from ctidialer.cli.demo import run", "ctidialer.switchsim.switch")

    def test_a_higher_part_may_import_a_lower_one(self) -> None:
        self.assert_fine("from ctidialer.contract.task import Task", "ctidialer.rules.pacing")
        self.assert_fine("from ctidialer.esl import client", "ctidialer.dialer.life.calls")
        self.assert_fine("from ctidialer.dialer import service", "ctidialer.tap")
        self.assert_fine("from ctidialer.switchsim import switch", "ctidialer.stage.switch")

    def test_the_event_socket_and_the_store_are_strangers(self) -> None:
        self.assert_breach("from ctidialer.store import lease", "ctidialer.esl.client")
        self.assert_breach("from ..esl import client", "ctidialer.store.claim")

    def test_the_simulated_switch_shares_no_code_with_what_it_tests(self) -> None:
        for part in ("esl", "store", "dialer"):
            self.assert_breach(f"from ctidialer.{part} import x", "ctidialer.switchsim.switch")
        self.assert_fine("from ctidialer.contract import keys", "ctidialer.switchsim.switch")

    def test_no_part_imports_the_switch_but_the_commands(self) -> None:
        self.assert_breach("from ctidialer.switchsim import switch", "ctidialer.dialer.life.calls")

    def test_pure_parts_know_no_twisted(self) -> None:
        self.assert_breach("from twisted.python import log", "ctidialer.contract.task")
        self.assert_breach("import twisted", "ctidialer.rules.pacing")
        self.assert_fine("import twistedness", "ctidialer.rules.pacing")

    def test_the_reactor_is_imported_where_a_process_begins(self) -> None:
        source = "def f():\n    from twisted.internet import reactor"
        for module in ("ctidialer.esl.client", "ctidialer.switchsim.switch", "ctidialer.settings"):
            self.assert_breach(source, module)
        for module in ("ctidialer.tap", "ctidialer.cli.demo", "ctidialer.switchsim.__main__"):
            self.assert_fine(source, module)

    def test_a_part_that_the_house_does_not_know_may_not_be_imported(self) -> None:
        self.assert_breach("from ctidialer.odds import ends", "ctidialer.dialer.life.calls")

    def test_the_version_may_be_imported(self) -> None:
        self.assert_fine("from ctidialer import __version__", "ctidialer.web.status")


class HouseTests(SynchronousTestCase):
    """The code as it stands."""

    def test_imports_go_one_way(self) -> None:
        found = [
            why
            for name, path in modules()
            for why in breaches(
                path.read_text(encoding="utf-8"), name, package=path.name == "__init__.py"
            )
        ]
        self.assertEqual(found, [])

    def test_every_part_has_its_place_in_the_order(self) -> None:
        parts = {part for name, _ in modules() if (part := part_of(name))}
        self.assertEqual(parts - set(MAY_IMPORT) - TOPS, set())
        self.assertLessEqual({"contract", "rules", "esl", "store", "dialer", "switchsim"}, parts)

    def test_no_module_is_too_long(self) -> None:
        lengths = {n: len(p.read_text(encoding="utf-8").splitlines()) for n, p in modules()}
        too_long = {n: k for n, k in lengths.items() if k > MAX_MODULE_LENGTH}
        self.assertEqual(set(too_long), TABLES_OF_TEXTS)

    def test_twisted_plugins_stays_twisteds_own(self) -> None:
        for place in ("twisted/__init__.py", "twisted/plugins/__init__.py"):
            self.assertFalse((ROOT / place).exists(), f"{place} would hide Twisted itself")
