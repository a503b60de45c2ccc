"""Resolve every dependency of every extra afresh and write ``requirements/constraints.txt``; then
write ``requirements/daemon.txt``: what the daemon alone needs, at those versions, with hashes.

Run it with the oldest Python that the project supports (3.11): the newest versions that this one
can have are then the ones pinned, and later Pythons have them too.
"""

from __future__ import annotations

import configparser
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
DAEMON = ROOT / "requirements" / "daemon.txt"
HEADER = """\
# Every package that any extra of setup.cfg needs, pinned; made by `make constraints`, not by hand.
# It names no index and no hash, so that any mirror will do. Wheels for Python 3.11 to 3.13.
"""
DAEMON_HEADER = """\
# What the daemon needs, and setuptools, which builds its package: pinned, with the hashes of all
# files of each version; made by `make constraints`, not by hand. Install with pip's
# --require-hashes. It names no index, so that any mirror will do.
"""
OLDEST_PYTHON = "3.11"


def requirements(*groups: str) -> list[str]:
    """Return what these groups of lines in setup.cfg ask for."""
    lines = [line.strip() for group in groups for line in group.splitlines()]
    return sorted({line for line in lines if line and not line.startswith("#")})


def read_setup() -> configparser.ConfigParser:
    """Return setup.cfg."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup


def every_requirement() -> list[str]:
    """Return what setup.cfg asks for, of all extras, and pip itself."""
    setup = read_setup()
    extras = setup["options.extras_require"].values()
    return ["pip", *requirements(setup["options"]["install_requires"], *extras)]


def daemon_requirements() -> list[str]:
    """Return what the daemon needs to be installed from its source."""
    setup = read_setup()
    build = requirements(setup["options.extras_require"]["build"])
    needed = requirements(setup["options"]["install_requires"])
    return [*needed, *(line for line in build if line.startswith("setuptools"))]


def resolve(folder: Path) -> str:
    """Install the newest of everything into a new venv in ``folder``; return pip's list of it."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    upgrade = ["install", "--quiet", "--upgrade", "--only-binary=:all:"]
    subprocess.run([*pip, *upgrade, *every_requirement()], check=True)
    frozen = subprocess.run([*pip, "freeze", "--all"], check=True, capture_output=True, text=True)
    return frozen.stdout


def with_hashes(folder: Path) -> str:
    """Return the daemon's requirements at the pinned versions, with the hashes of their files."""
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
    wanted = folder / "daemon.in"
    wanted.write_text("\n".join(daemon_requirements()), encoding="utf-8")
    options = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes"]
    quietly = ["--quiet", "--no-header", "--no-annotate", "--constraint", str(CONSTRAINTS)]
    command = [str(folder / "bin" / "uv"), "pip", "compile", *options, *quietly, str(wanted)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Write both files and return the exit status; ``--hashes``: leave the versions as they are."""
    with tempfile.TemporaryDirectory(prefix="ctidialer-pins-") as name:
        folder = Path(name)
        if "--hashes" in sys.argv:
            venv.create(folder, with_pip=True)
        else:
            pins = resolve(folder)
            CONSTRAINTS.write_text(HEADER + pins, encoding="utf-8")
            print(f"{CONSTRAINTS.relative_to(ROOT)}: {len(pins.splitlines())} packages pinned")
        DAEMON.write_text(DAEMON_HEADER + with_hashes(folder), encoding="utf-8")
    print(f"{DAEMON.relative_to(ROOT)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
