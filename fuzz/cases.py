"""The inputs that broke something: files which the short test replays from then on."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from pathlib import Path

from attrs import frozen

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "fuzz_cases"


@frozen
class Case:
    """One input, the target that it broke, and how: ``problem`` is for people."""

    target: str
    problem: str
    data: bytes

    @property
    def file_name(self) -> str:
        """The name under which the case is kept: the same input is kept once."""
        return f"{self.target}-{hashlib.sha256(self.data).hexdigest()[:12]}.json"


def write_case(case: Case, folder: Path = FOLDER) -> Path:
    """Keep a case in ``folder``; return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / case.file_name
    document = {
        "target": case.target,
        "problem": case.problem,
        "input": b64encode(case.data).decode(),
    }
    path.write_text(json.dumps(document, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")
    return path


def read_case(path: Path) -> Case:
    """Read one file."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return Case(document["target"], document["problem"], b64decode(document["input"]))


def all_cases(folder: Path = FOLDER) -> list[Case]:
    """Return every case that is kept, in the order of the files' names."""
    return [read_case(path) for path in sorted(folder.glob("*.json"))]
