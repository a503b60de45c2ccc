"""A simulated switch with options of its own, in the place of the rig's."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet import reactor

from benchmarks.rig import MORE_THAN_COME, PASSWORD, Rig
from ctidialer.stage.switch import start_switch


async def start_own_switch(rig: Rig, script: Mapping[str, object], **options: object) -> None:
    """Start a switch for ``rig``: ``listen="127.0.0.1:8021"``, ``log="/dev/null"``…"""
    folder = rig.directory / "switch"
    folder.mkdir(exist_ok=True)
    rig.switch = await start_switch(
        reactor,
        folder,
        script=dict(script),
        password=PASSWORD,
        sessions_per_second=MORE_THAN_COME,
        max_sessions=MORE_THAN_COME,
        **options,
    )
