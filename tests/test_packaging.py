"""What is shipped, pinned and written down agrees with what is there."""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tools.run_tests import (
    KINDS,
    Count,
    Run,
    both,
    exit_status,
    failed_names,
    may_run_again,
    names_of_kind,
    processes,
    read_count,
)

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.!+]+)$")
REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9._-]+)")
EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
MAKE_COMMAND = re.compile(r"(?:``|^\s+)make ([a-z][a-z-]*)", re.MULTILINE)
# Put together here, so that this file does not hold what it looks for.
PRIVATE = tuple(
    "".join(parts)
    for parts in (
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/ho", "me/runner"),
        ("/op", "t/pypi"),
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("--index", "-url"),
        ("--find", "-links"),
        ("--trusted", "-host"),
    )
)


def setup_cfg() -> configparser.ConfigParser:
    """Return the project's metadata."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup


def normal(name: str) -> str:
    """Return the one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(lines: Iterable[str]) -> Iterator[str]:
    """Yield the names that lines of requirements begin with."""
    for line in lines:
        found = REQUIREMENT.match(line.split("#")[0])
        if found:
            yield normal(found[1])


def pins() -> dict[str, str]:
    """Return the version of every name in the constraints; a line that pins nothing is an error."""
    text = (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = [PIN.match(line) for line in lines]
    return {normal(pin["name"]): pin["version"] for pin in found if pin}


def committed() -> list[Path]:
    """Return the files under version control; the test is skipped outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise SkipTest("this is no git checkout") from error
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def all_requirements(roots: Iterable[str]) -> set[str]:
    """Return ``roots`` and all that they need, of what is installed here, extras left out."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _needs(name)
    return found


def _needs(name: str) -> list[str]:
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    unconditional = [line for line in lines if ";" not in line]
    return list(required(unconditional))


def make_targets() -> set[str]:
    """Return what ``make`` can be asked for."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


def documents() -> list[Path]:
    """Return every text for people."""
    return [*ROOT.glob("*.rst"), *(ROOT / "docs").rglob("*.rst")]


class SetupTests(SynchronousTestCase):
    """setup.cfg, and the packages that it lists by name."""

    def test_every_package_is_listed(self) -> None:
        there = {
            ".".join(path.parent.relative_to(ROOT).parts)
            for path in (ROOT / "ctidialer").rglob("__init__.py")
        }
        listed = setup_cfg()["options"]["packages"].split()
        self.assertEqual(sorted(listed), sorted([*there, "twisted.plugins"]))

    def test_every_folder_with_modules_is_a_package(self) -> None:
        for top in ("ctidialer", "tests"):
            folders = {path.parent for path in (ROOT / top).rglob("*.py")}
            bare = [str(f) for f in folders if not (f / "__init__.py").exists()]
            self.assertEqual(bare, [], "what stands in these is neither shipped nor tested")

    def test_data_files_are_shipped(self) -> None:
        data = setup_cfg()["options.package_data"]
        lua = list((ROOT / "ctidialer").rglob("*.lua"))
        self.assertEqual(
            {p.parent.relative_to(ROOT) for p in lua} - {Path("ctidialer/store/lua")}, set()
        )
        self.assertEqual((data["ctidialer"], data["ctidialer.store.lua"]), ("py.typed", "*.lua"))

    def test_pyproject_holds_no_metadata(self) -> None:
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        self.assertNotIn("[project]", text)

    def test_the_entry_point_is_there(self) -> None:
        script = setup_cfg()["options.entry_points"]["console_scripts"].split("=")
        module, function = script[1].strip().split(":")
        path = ROOT.joinpath(*module.split("."), "__init__.py")
        names = {
            name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            for name in _names_bound(node)
        }
        self.assertIn(function, names)


def _names_bound(node: ast.stmt) -> list[str]:
    """Return the names that a statement at the top of a module gives to something."""
    if isinstance(node, ast.ImportFrom | ast.Import):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


class ConstraintsTests(SynchronousTestCase):
    """Every dependency, and what they depend on, at one version."""

    def test_every_line_is_a_pin(self) -> None:
        text = (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.assertEqual([line for line in lines if not PIN.match(line)], [])
        self.assertEqual(len(pins()), len(lines), "a name stands there twice")

    def test_everything_asked_for_is_pinned(self) -> None:
        setup = setup_cfg()
        groups = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
        asked = set(required(line for group in groups for line in group.splitlines()))
        self.assertIn("twisted", asked)
        self.assertEqual(all_requirements(asked) - set(pins()), set(), "run make constraints")

    def test_the_daemon_is_installed_by_hash_at_the_same_versions(self) -> None:
        text = (ROOT / "requirements" / "daemon.txt").read_text(encoding="utf-8")
        found = re.findall(r"(?m)^([\w.-]+)==([^\s;]+)[^\\\n]*((?: \\\n    --hash=\S+)+)$", text)
        versions = {normal(name): version for name, version, _ in found}
        self.assertEqual(len(versions), len(re.findall(r"(?m)^[\w.-]+==", text)))
        self.assertEqual(versions, {name: pins()[name] for name in versions})
        needed = set(required(setup_cfg()["options"]["install_requires"].splitlines()))
        self.assertEqual(all_requirements(needed) - set(versions), set(), "run make constraints")


class DocumentTests(SynchronousTestCase):
    """What the texts tell people to type, and what no text may tell."""

    def test_every_make_command_exists(self) -> None:
        said = {
            (path.name, target)
            for path in documents()
            for target in MAKE_COMMAND.findall(path.read_text(encoding="utf-8"))
        }
        self.assertIn(("README.rst", "demo"), said)
        self.assertEqual({pair for pair in said if pair[1] not in make_targets()}, set())

    def test_every_file_named_in_the_texts_exists(self) -> None:
        for path in documents():
            text = path.read_text(encoding="utf-8")
            for name in re.findall(r"``((?:etc|tools|requirements|docs|\.ci)/[\w./-]+)``", text):
                is_there = (ROOT / name).exists() or name.startswith("docs/_build")
                self.assertTrue(is_there, f"{path.name} names {name}")

    def test_the_readme_shows_on_a_package_index(self) -> None:
        # A package index shows it without files read in and without raw HTML.
        strict = ["--report=2", "--halt=2", "--no-raw", "--no-file-insertion"]
        done = subprocess.run(
            [sys.executable, "-m", "docutils", *strict, str(ROOT / "README.rst")],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_changelog_has_this_version(self) -> None:
        version = setup_cfg()["metadata"]["version"]
        text = (ROOT / "CHANGELOG.rst").read_text(encoding="utf-8")
        self.assertRegex(text, rf"(?m)^{re.escape(version)} \(")

    def test_no_committed_file_names_a_private_place(self) -> None:
        for path in committed():
            text = path.read_bytes().decode("utf-8", "replace")
            found = [name for name in PRIVATE if name in text]
            self.assertEqual(found, [], f"in {path.relative_to(ROOT)}")


class ProcessesTests(SynchronousTestCase):
    def test_they_are_as_many_as_asked_for(self) -> None:
        self.assertEqual(processes(4, {}), 4)

    def test_tests_that_share_a_real_freeswitch_run_in_one(self) -> None:
        self.assertEqual(processes(4, {"CTIDIALER_TEST_FREESWITCH": "127.0.0.1:8021"}), 1)


class CountTests(SynchronousTestCase):
    """The last line of ``make test``."""

    def read(self, text: str) -> Count | None:
        return read_count(text.splitlines())

    def test_a_run_in_which_all_passed(self) -> None:
        count = self.read("Ran 12 tests in 0.026s\n\nPASSED (skips=2, successes=10)")
        self.assertEqual(str(count), "10 passed, 0 failed, 2 skipped")

    def test_failures_and_errors_and_surprises_are_failed(self) -> None:
        verdict = "FAILED (failures=1, errors=2, unexpectedSuccesses=4, successes=8)"
        self.assertEqual(self.read(f"Ran 15 tests in 1.2s\n\n{verdict}"), Count(8, 7, 0))

    def test_an_expected_failure_is_no_success(self) -> None:
        count = self.read("Ran 2 tests in 1.2s\n\nPASSED (expectedFailures=1, successes=1)")
        self.assertEqual(count, Count(1, 0, 1))

    def test_a_verdict_that_a_test_prints_does_not_count(self) -> None:
        self.assertIsNone(self.read("PASSED (successes=3)"))
        text = "PASSED (successes=3)\nRan 1 tests in 0.1s\n\nFAILED (errors=1)\nPASSED"
        self.assertEqual(self.read(text), Count(0, 1, 0))

    def test_a_run_that_was_cut_off_has_no_count(self) -> None:
        self.assertIsNone(self.read("Ran 12 tests in 0.026s\n"))

    def test_only_a_good_run_ends_with_status_0(self) -> None:
        self.assertEqual(exit_status(0, Count(1, 0, 3)), 0)
        for trial_status, count in [
            (1, Count(1, 0, 0)),
            (0, Count(1, 1, 0)),
            (0, Count(0, 0, 0)),
            (0, Count(0, 0, 5)),
            (0, None),
        ]:
            self.assertEqual(exit_status(trial_status, count), 1)


class SecondChanceTests(SynchronousTestCase):
    """``--again``: a few failed tests that have real processes are run once more."""

    integration = (
        "tests.stage.test_redis.StartTests.test_the_end",
        "tests.stage.test_redis.StartTests.test_what_it_says_of_itself",
    )
    unit = "tests.stage.test_audit.AuditTests.test_the_order_does_not_matter"

    def failed(self, *names: str) -> Run:
        return Run(1, Count(10, len(names), 0), list(names))

    def test_trial_names_what_failed(self) -> None:
        report = [
            "=" * 79,
            "[FAIL]",
            "Traceback (most recent call last):",
            '  File "test_a.py", line 1, in test_a',
            "twisted.trial.unittest.FailTest: 1 != 2",
            "",
            "tests.a.A.test_a",
            "tests.a.A.test_alike",
            "=" * 79,
            "[ERROR]",
            "twisted.trial.util.DirtyReactorAggregateError: Reactor was unclean.",
            "",
            "tests.a.A.test_a",
            "-" * 79,
        ]
        self.assertEqual(failed_names(report), ["tests.a.A.test_a", "tests.a.A.test_alike"])
        self.assertEqual(failed_names(["tests.a.A.test_a", "PASSED"]), [])
        self.assertIsNone(failed_names(["[ERROR]", "a worker ended"]))

    def test_a_few_with_processes_are_run_again(self) -> None:
        run = self.failed(*self.integration)
        self.assertEqual(may_run_again(run, 2), list(self.integration))
        self.assertEqual(may_run_again(run, 1), [])
        self.assertEqual(may_run_again(run, 0), [])

    def test_a_unit_test_and_what_has_no_name_are_not(self) -> None:
        self.assertEqual(may_run_again(self.failed(self.unit), 3), [])
        self.assertEqual(may_run_again(self.failed(self.integration[0], self.unit), 3), [])
        self.assertEqual(may_run_again(self.failed("tests.not_there"), 3), [])
        self.assertEqual(may_run_again(Run(1, Count(10, 1, 0), None), 3), [])
        self.assertEqual(may_run_again(Run(1, None, [self.integration[0]]), 3), [])
        self.assertEqual(may_run_again(Run(0, Count(10, 0, 0), []), 3), [])

    def test_what_fails_twice_has_failed(self) -> None:
        self.assertEqual(both(Count(10, 2, 1), Count(1, 1, 0)), Count(11, 1, 1))


class KindTests(SynchronousTestCase):
    """Unit, integration and browser tests can be run apart."""

    def test_each_test_case_is_of_one_kind(self) -> None:
        by_kind = {
            kind: names_of_kind(
                kind, ["tests.stage", "tests.switchsim", "tests.web.test_dashboard"]
            )
            for kind in KINDS
        }
        self.assertIn("tests.stage.test_audit.AuditTests", by_kind["unit"])
        self.assertIn("tests.stage.test_redis.StartTests", by_kind["integration"])
        self.assertIn("tests.web.test_dashboard.LiveTests", by_kind["browser"])
        every = [name for names in by_kind.values() for name in names]
        self.assertEqual(len(every), len(set(every)))
