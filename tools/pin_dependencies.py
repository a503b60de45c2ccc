"""Resolve every dependency of every extra afresh and write ``requirements/constraints.txt``.

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
HEADER = """\
# Every package that any extra of setup.cfg needs, pinned; made by `make constraints`, not by hand.
# It names no index and no hash, so that any mirror will do. Wheels for Python 3.11 to 3.13.
"""


def requirements() -> list[str]:
    """Return what setup.cfg asks for, of all extras, and pip itself."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    groups = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    lines = [line.strip() for group in groups for line in group.splitlines()]
    return ["pip", *sorted({line for line in lines if line and not line.startswith("#")})]


def resolve(folder: Path) -> str:
    """Install the newest of everything into a new venv in ``folder``; return pip's list of it."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    upgrade = ["install", "--quiet", "--upgrade", "--only-binary=:all:"]
    subprocess.run([*pip, *upgrade, *requirements()], check=True)
    frozen = subprocess.run([*pip, "freeze", "--all"], check=True, capture_output=True, text=True)
    return frozen.stdout


def main() -> int:
    """Write the constraints and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="ctidialer-pins-") as folder:
        pins = resolve(Path(folder))
    CONSTRAINTS.write_text(HEADER + pins, encoding="utf-8")
    print(f"{CONSTRAINTS.relative_to(ROOT)}: {len(pins.splitlines())} packages pinned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
