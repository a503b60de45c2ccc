"""The seeded generator: inputs by mutation, the same ones in the same order for the same seed.

It follows no coverage, but keeps every input whose shape (what `Target.examine` returns) is new,
and makes further inputs of those.
"""

from __future__ import annotations

from collections.abc import Hashable
from random import Random

from fuzz.mutation import mutated
from fuzz.session import Session

MOST_KEPT = 4000


def run_seeded(session: Session, *, count: int, seed: int) -> None:
    """Examine the seeds, then made inputs, ``count`` in all."""
    random = Random(f"{session.target.name} {seed}")
    pool = session.target.seeds()[:count]
    shapes: set[Hashable] = {session.examine(data) for data in pool}
    pool = [data for data in pool if len(data) <= 64 * 1024] or [b""]
    while session.inputs < count and not session.is_enough:
        # Of two the shorter one: short inputs tell as much, and there is time for more of them.
        data = min(random.choices(pool, k=2), key=len)
        data = mutated(session.target, data, random.choice(pool), random)
        shape = session.examine(data)
        if shape is not None and shape not in shapes and len(shapes) < MOST_KEPT:
            shapes.add(shape)
            pool.append(data)
