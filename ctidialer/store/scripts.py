"""The Lua scripts: each runs as one atomic step.  They are read from ``lua/``."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files

from attrs import frozen


@frozen
class Script:
    """A script and the SHA-1 of its text, by which EVALSHA calls it.

    ``must_last``: if what it wrote were lost in a fail-over, a number would be lost with it, or
    called twice.
    """

    text: bytes
    digest: str
    must_last: bool = False

    @classmethod
    def read(cls, *names: str, must_last: bool = False) -> Script:
        """Return these parts of ``lua/``, with the functions that all scripts share before them."""
        folder = files("ctidialer.store.lua")
        parts = ("shared", *names)
        text = b"\n".join(folder.joinpath(f"{part}.lua").read_bytes() for part in parts)
        return cls.of(text, must_last)

    @classmethod
    def of(cls, text: bytes, must_last: bool = False) -> Script:
        """Return the script of this text."""
        return cls(text, sha1(text, usedforsecurity=False).hexdigest(), must_last)


CLAIM = Script.read("waiting", "claim", must_last=True)
DUE = Script.read("due")
NOTE = Script.read("noting", "note", must_last=True)
PERMIT = Script.read("noting", "permit", must_last=True)
UNCOUNT = Script.read("uncount")
SETTLE = Script.read("recording", "settle", must_last=True)
SETTLE_AND_LEAVE = Script.read("counting", "leaving", "recording", "settle", must_last=True)
WAIT = Script.read("recording", "waiting", "wait", must_last=True)
WAIT_AND_LEAVE = Script.read("counting", "leaving", "recording", "waiting", "wait", must_last=True)
CANCEL = Script.read("recording", "cancel")
HEAD = Script.read("head")
SAMPLE = Script.read("sample")
UNWAIT = Script.read("recording", "waiting", "unwait")
RETURN = Script.read("waiting", "return", must_last=True)
LEASE = Script.read("lease")
EDIT = Script.read("edit")
FILLED = Script.read("filled")
STATUS = Script.read("status")
PROVE = Script.read("prove")
TABLES = Script.read("tables")
FIELDS = Script.read("fields")
TELL = Script.read("tell")
PACE = Script.read("pace")
PLACES = Script.read("noting", "counting", "leaving", "places", must_last=True)
PLACE_QUEUE = Script.read("counting", "place_queue")
OWN_PLACES = Script.read("own_places")
SHARED_USE = Script.read("shared_use")
