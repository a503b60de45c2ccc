"""The version of ctidialer that runs."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version


@lru_cache(maxsize=1)
def program_version() -> str:
    """Return the version of ctidialer that is installed."""
    try:
        return version("ctidialer")
    except PackageNotFoundError:
        return "unknown"
