"""The Lua scripts: each runs as one atomic step.  They are read from ``lua/``."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files

from attrs import frozen


@frozen
class Script:
    """A script and the SHA-1 of its text, by which EVALSHA calls it."""

    text: bytes
    digest: str

    @classmethod
    def read(cls, name: str) -> Script:
        """Return ``lua/<name>.lua``, with the functions that all scripts share before it."""
        folder = files("ctidialer.store.lua")
        text = b"\n".join(folder.joinpath(f"{part}.lua").read_bytes() for part in ("shared", name))
        return cls.of(text)

    @classmethod
    def of(cls, text: bytes) -> Script:
        """Return the script of this text."""
        return cls(text, sha1(text, usedforsecurity=False).hexdigest())


CLAIM = Script.read("claim")
DUE = Script.read("due")
NOTE = Script.read("note")
SETTLE = Script.read("settle")
RETURN = Script.read("return")
LEASE = Script.read("lease")
FILLED = Script.read("filled")
STATUS = Script.read("status")
PROVE = Script.read("prove")
TABLES = Script.read("tables")
FIELDS = Script.read("fields")
TELL = Script.read("tell")
