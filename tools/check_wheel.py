"""Build the sdist, the wheel from it, and try the wheel in an empty venv outside the checkout.

What is tried: every package and data file is in the wheel and nothing else is, pip finds all that
it needs, every module can be imported, ``twistd --help`` lists ctidialer and ``ctidialer --help``
answers.  The first thing that is wrong ends the script with status 1 and a line that names it.
"""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DAEMON = ROOT / "requirements" / "daemon.txt"
PLUGIN = "twisted/plugins/ctidialer_plugin.py"
IMPORT_ALL = """
import importlib, pathlib, pkgutil, ctidialer, ctidialer.store.lua
here = pathlib.Path(ctidialer.__file__).parent
assert (here / "py.typed").is_file(), "py.typed is not installed"
names = [m.name for m in pkgutil.walk_packages(ctidialer.__path__, "ctidialer.")]
for name in names:
    if not name.endswith(("__main__", "workbook_child")):  # the latter wants an extra
        importlib.import_module(name)
print(f"{len(names)} modules can be imported from {here}")
"""


class NotAsItShould(Exception):
    """The wheel is not as it should be; the text says in what."""


def packages() -> list[str]:
    """Return the packages that setup.cfg lists."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup["options"]["packages"].split()


def expected_files() -> set[str]:
    """Return the paths of the files of the packages in the checkout: what the wheel must hold."""
    found = {PLUGIN}
    for package in packages():
        folder = ROOT / package.replace(".", "/")
        if package.startswith("ctidialer"):
            files = (path for path in folder.iterdir() if path.is_file() and path.suffix != ".pyc")
            found |= {path.relative_to(ROOT).as_posix() for path in files}
    return found


def build(into: Path) -> Path:
    """Build both distributions into ``into`` and return the wheel, which is made from the sdist."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotAsItShould(f"the build failed:\n{done.stdout}\n{done.stderr}")
    wheels = list(into.glob("*.whl"))
    if len(wheels) != 1:
        raise NotAsItShould(f"one wheel was expected, there are {wheels}")
    return wheels[0]


def check_contents(wheel: Path) -> None:
    """Compare the files of the wheel with those of the checkout."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = expected_files()
    if missing := expected - held:
        raise NotAsItShould(f"not in the wheel: {', '.join(sorted(missing))}")
    if more := held - expected:
        raise NotAsItShould(f"in the wheel, but not in the checkout: {', '.join(sorted(more))}")
    print(f"{wheel.name}: {len(held)} files, all that the checkout has")


def run(folder: Path, *command: str) -> str:
    """Run a command of the venv in ``folder``, from outside the checkout; return what it prints."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    words = [str(folder / "bin" / command[0]), *command[1:]]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = f"{done.stdout}\n{done.stderr}"
        raise NotAsItShould(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout


def install(wheel: Path, folder: Path) -> None:
    """Make a venv in ``folder`` that holds the wheel, and what it asks for, and nothing else."""
    venv.create(folder, with_pip=True)
    pip = ("python", "-m", "pip", "--disable-pip-version-check")
    pinned = ("--only-binary=:all:", "--require-hashes", "-r", str(DAEMON))
    run(folder, *pip, "install", "--quiet", *pinned)
    run(folder, *pip, "install", "--quiet", "--no-deps", str(wheel))
    run(folder, *pip, "check")


def try_out(folder: Path) -> None:
    """Use what was installed in ``folder``."""
    print(run(folder, "python", "-I", "-c", IMPORT_ALL).strip())
    listed = [line.split()[:1] for line in run(folder, "twistd", "--help").splitlines()]
    if ["ctidialer"] not in listed:
        raise NotAsItShould("twistd --help does not list ctidialer: is the plugin installed?")
    if "demo" not in run(folder, "ctidialer", "--help"):
        raise NotAsItShould("ctidialer --help does not name the command demo")
    print("twistd --help lists ctidialer; ctidialer --help answers")


def main() -> int:
    """Do it all and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="ctidialer-wheel-") as name:
        folder = Path(name)
        try:
            wheel = build(folder / "dist")
            check_contents(wheel)
            install(wheel, folder / "venv")
            try_out(folder / "venv")
        except NotAsItShould as fault:
            print(f"check_wheel: {fault}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
