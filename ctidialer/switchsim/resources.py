"""The text files that belong to the simulator."""

from __future__ import annotations

from importlib.resources import files


def read_resource(name: str) -> str:
    """Give the text of a file of this package."""
    return files("ctidialer.switchsim").joinpath(name).read_text("ascii")
