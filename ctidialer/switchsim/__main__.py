"""``python -m ctidialer.switchsim``: the simulated switch as a process of its own."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click
from twisted.internet import reactor, stdio
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from ctidialer.switchsim.behaviour import Script, ScriptError, read_script_file
from ctidialer.switchsim.callcenter.plan import (
    DEFAULT_QUEUE,
    Plan,
    PlanError,
    install,
    read_plan_file,
    some_agents,
    span_option,
)
from ctidialer.switchsim.callcenter.tables import STANDBY, TYPES
from ctidialer.switchsim.calllog import CallLogWriter
from ctidialer.switchsim.server import EventSocketFactory, EventSocketPort
from ctidialer.switchsim.switch import Switch

MAX_PORT = 65_535

the_reactor: Any = reactor


class _Parent(Protocol):
    """Standard input: its end is the parent's end."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        os._exit(0)


def _end_process(status: int) -> None:
    """Die at once; a negative status is a signal, SIGTERM the orderly one."""
    if status < 0:
        os.kill(os.getpid(), -status)
    else:
        os._exit(status)


def _read_script(path: Path | None, seed: int | None) -> Script:
    try:
        script = read_script_file(path) if path else Script()
    except ScriptError as problem:
        raise click.ClickException(str(problem)) from problem
    if seed is not None:
        script.seed = seed
    return script


def _open_queues(
    switch: Switch, path: Path | None, agents: int, queue: str | None, kind: str, wrap_up: int
) -> None:
    try:
        if path is not None:
            install(read_plan_file(path), switch.callcenter)
        if agents or queue:
            name = queue or DEFAULT_QUEUE
            install(Plan((name,), some_agents(agents, (name,), wrap_up, kind)), switch.callcenter)
    except PlanError as problem:
        raise click.ClickException(str(problem)) from problem


def _set_work(switch: Switch, seed: int | None, handle: str | None, ring: str | None) -> None:
    work = switch.callcenter.work
    try:
        work.handle = span_option(handle, "--handle-time") if handle else work.handle
        work.ring = span_option(ring, "--agent-ring") if ring else work.ring
    except PlanError as problem:
        raise click.ClickException(str(problem)) from problem
    work.seed = work.seed if seed is None else seed


def _split_address(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > MAX_PORT:
        raise click.BadParameter(f"{address!r} is no HOST:PORT", param_hint="--listen")
    return host or "127.0.0.1", int(port)


@click.command()
@click.option("--listen", default="127.0.0.1:0", help="HOST:PORT; port 0 takes a free one.")
@click.option("--password", envvar="SWITCHSIM_PASSWORD", default="ClueCon", help="For `auth`.")
@click.option("--log", type=click.Path(path_type=Path), help="Append JSON lines of calls here.")
@click.option("--script", type=click.Path(path_type=Path), help="Behaviours, a JSON file.")
@click.option("--seed", type=int, help="For what chance decides.")
@click.option("--heartbeat", default=20.0, help="Seconds between HEARTBEAT events; 0 = none.")
@click.option("--max-sessions", default=20_000)
@click.option("--sessions-per-second", default=2_000)
@click.option("--refuse-address", is_flag=True, help="Answer every client as the ACL does.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Written once it listens.")
@click.option("--callcenter", type=click.Path(path_type=Path), help="Queues, agents: a JSON file.")
@click.option(
    "--agents", default=0, type=click.IntRange(0), help="So many agents in --queue, available."
)
@click.option("--queue", help=f"A queue of mod_callcenter; {DEFAULT_QUEUE} where there are agents.")
@click.option("--agent-type", type=click.Choice(TYPES), default=STANDBY, help="Of --agents.")
@click.option("--handle-time", help="Seconds a call takes an agent: a number or a distribution.")
@click.option(
    "--wrap-up", default=0, type=click.IntRange(0), help="Whole seconds of wrap-up after each call."
)
@click.option("--agent-ring", help="Seconds until a callback agent answers, likewise.")
@click.option("--log-answers", is_flag=True, help="Log when each call was answered, too.")
@click.option("--die-with-parent", is_flag=True, help="Exit when standard input ends.")
def main(
    listen: str,
    password: str,
    log: Path | None,
    script: Path | None,
    seed: int | None,
    heartbeat: float,
    max_sessions: int,
    sessions_per_second: int,
    refuse_address: bool,
    ready_file: Path | None,
    callcenter: Path | None,
    agents: int,
    queue: str | None,
    agent_type: str,
    handle_time: str | None,
    wrap_up: int,
    agent_ring: str | None,
    log_answers: bool,
    die_with_parent: bool,
) -> None:
    """Simulate a FreeSWITCH that speaks the Event Socket; prints {"port": N} once it listens."""
    host, number = _split_address(listen)
    switch = Switch(
        the_reactor,
        password=password,
        script=_read_script(script, seed),
        log=CallLogWriter(log),
        end_process=_end_process,
    )
    switch.limits.max_sessions = max_sessions
    switch.limits.per_second = sessions_per_second
    switch.acl_refuses = refuse_address
    _open_queues(switch, callcenter, agents, queue, agent_type, wrap_up)
    _set_work(switch, seed, handle_time, agent_ring)
    switch.logs_answers = log_answers or bool(switch.callcenter.book.queues)
    factory = EventSocketFactory(switch)
    factory.faults.heart.start(heartbeat)
    try:
        found = EventSocketPort(the_reactor, the_reactor, factory).open(host, number)
    except OSError as problem:
        raise click.ClickException(f"cannot listen on {listen}: {problem}") from problem
    if die_with_parent:
        stdio.StandardIO(_Parent())
    _end_on_signals(switch)
    _tell(found, ready_file)
    # Calls are made by the thousand and hold no cycles worth looking for all the time.
    gc.set_threshold(50_000)
    the_reactor.run(installSignalHandlers=False)


def _end_on_signals(switch: Switch) -> None:
    """End as FreeSWITCH does on SIGTERM: farewell to all, then the process."""

    def farewell() -> None:
        switch.shut_down().addCallback(lambda _: switch.clock.callLater(0.1, os._exit, 0))

    def terminate(number: int, frame: object) -> None:
        the_reactor.callFromThread(farewell)

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGINT, terminate)


def _tell(port: int, ready_file: Path | None) -> None:
    ready = json.dumps({"port": port}) + "\n"
    if ready_file is not None:
        ready_file.write_text(ready)
    sys.stdout.write(ready)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
