"""Inputs by atheris, which looks at the coverage of the code that it has instrumented.

atheris is an extra (``pip install 'ctidialer[fuzz]'``), and never needed: see ``fuzz.seeded``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz.mutation import mutated
from fuzz.session import Session
from fuzz.target import Target

LARGEST = 16 * 1024
"""Bytes of an input: short ones find what there is, and libFuzzer would make most of them long."""

INSTRUMENTED = 4.0
"""How much longer instrumented code may take than what is shipped."""


def is_there() -> bool:
    """Say whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def instrumented(load: Callable[[], Target]) -> Target:
    """Return the target that ``load`` imports, its product code instrumented.

    Nothing of ``ctidialer`` may have been imported before.
    """
    import atheris

    with atheris.instrument_imports(include=["ctidialer"]):
        return load()


def run_guided(session: Session, *, count: int, seed: int) -> None:
    """Examine ``count`` inputs, and end the process: libFuzzer does not come back.

    Half of the inputs are libFuzzer's own mutations, half are `fuzz.mutation`'s.
    """
    import atheris

    session.meter.allowance = INSTRUMENTED
    target = session.target
    seeds = [data for data in target.seeds() if len(data) <= LARGEST]

    def examine(data: bytes) -> None:
        session.examine(data)
        if session.inputs >= count or session.is_enough:
            shutil.rmtree(corpus, ignore_errors=True)
            _leave(session)

    def mutate(data: bytes, max_size: int, mutation_seed: int) -> bytes:
        random = Random(mutation_seed)
        if random.random() < 0.5:
            return bytes(atheris.Mutate(data, max_size))
        return mutated(target, data, random.choice(seeds), random)[:max_size]

    with tempfile.TemporaryDirectory(prefix="ctidialer-fuzz-") as corpus:
        for index, data in enumerate(seeds):
            (Path(corpus) / f"{index:05}").write_bytes(data)
        options = [f"-seed={seed % 2**32 or 1}", f"-max_len={LARGEST}", "-verbosity=0"]
        limits = ["-timeout=120", "-rss_limit_mb=4096", "-detect_leaks=0", "-len_control=0"]
        arguments = [sys.argv[0], *options, *limits, f"-artifact_prefix={corpus}/", corpus]
        atheris.Setup(arguments, examine, custom_mutator=mutate)
        atheris.Fuzz()


def _leave(session: Session) -> None:
    """End at once, with what the caller would have said: an exception would be a finding."""
    print(session.summary(), flush=True)
    sys.stderr.flush()
    os._exit(1 if session.failures else 0)
