"""A quick look at the documents of a task: is it switched off?

It takes a thirtieth of the time of decoding them, and says no more.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ctidialer.contract.task import Destination, Task


class _Params(Struct):
    enable: bool | None = None


class _Document(Struct):
    params: _Params | None = None


_DECODER = msgspec.json.Decoder(_Document)
_SWITCHED_ON = (b'"enable": true', b'"enable":true')


def is_plainly_off(template: bytes | None, host: bytes | None) -> bool:
    """Say whether the task of these documents is switched off for sure; it may have faults.

    False says nothing: what is written in another way than usual is for those who decode it.
    """
    last = template if host is None else host
    if last is not None and (_SWITCHED_ON[0] in last or _SWITCHED_ON[1] in last):
        return False  # so, wherever that stands: nearly all that are not off end here
    enabled = None
    for document in (template, host):
        if document is not None:
            try:
                params = _DECODER.decode(document).params
            except (msgspec.MsgspecError, ValueError, RecursionError):
                return False
            if params is not None and params.enable is not None:
                enabled = params.enable
    return enabled is not True


def switched_off(name: str) -> Task:
    """Return a task of which nothing is known but that it is switched off."""
    return Task(name, False, (), 0, "", Destination(""))
