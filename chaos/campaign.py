"""The campaign: numbers go in, faults strike, everything is left alone, and then it is audited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults

from chaos.abandoned_audit import AbandonedFindings, examine_abandoned
from chaos.adopting import LeaseWatch, Operator, watch_leases
from chaos.agents import SharedAgents
from chaos.auditor import TRANSIT, Evidence, Moment, examine, lateness
from chaos.callees import MAX_TRIES, Callees
from chaos.faults import LOSSES, Fault, Kind, Strike
from chaos.feeding import Feeding
from chaos.gathering import GOOD_ENDS, Gathering, together
from chaos.load import (
    AGENT_TASK,
    MOST_CALLS,
    SILENT,
    Load,
    plan_load,
    plan_load_for_agents,
    script,
    tables,
)
from chaos.losses import Loss, plan_faults_of_hosts, plan_losses
from chaos.permission import Rules
from chaos.report import Plan, Report
from chaos.shared_audit import SharedFindings, Witness, examine_shared
from chaos.sharing import TASK_NAME, shared_tables
from chaos.site import ADOPT_AFTER, ADOPTS, NODE, Ground, Site
from chaos.strikes import HarnessProblem, Strikes
from ctidialer.stage.back_end import StageProgress
from ctidialer.stage.watching import Stalled, watch

LOOK = 0.1
BEGINS_WITHIN = 300.0
"""Seconds within which all daemons must have the names of their hosts."""

SETTLED = 0.3
"""Seconds after a fault until which the last notes that were under way are written."""

MOVES_WITHIN = 20.0
"""Seconds for which a fault waits for the campaign to move on; then it strikes all the same."""

STALLED = 90.0
"""Seconds without anything moving, after the last fault, that make the campaign a failure.

A scheduled number for which no line was free comes again after 60.
"""


class Campaign:
    """One campaign in ``directory``; ``say`` is told each step."""

    def __init__(
        self, reactor: Any, plan: Plan, directory: Path, say: Callable[[str], None]
    ) -> None:
        node = NODE if plan.hosts == 1 else NODE + ADOPTS
        callees = script(plan.seed, has_agents=plan.hosts > 1)
        self._reactor = reactor
        self._plan = plan
        self._say = say
        self._ground = Ground(reactor, directory, callees, plan.orders, node)
        self._gathering = Gathering(self._ground)
        self._operator = Operator(self._ground)
        self._lease_watch = LeaseWatch(ADOPT_AFTER)
        self._losses: dict[int, Loss] = {}
        self._adopting: list[Deferred[None]] = []
        self._moments: list[Moment] = []
        self._lapses: list[Moment] = []
        self._problems: list[str] = []
        self._agents: SharedAgents | None = None
        self._callees: Callees
        self._feeding: Feeding

    async def run(self) -> Report:
        """Run it all."""
        began = self._reactor.seconds()
        watching: Deferred[None] | None = None
        try:
            load = await self._begin(began)
            if self._plan.hosts > 1:
                watching = self._watch_leases()
            faults = self._plan_faults()
            feeding = _all(self._feeding.put_in(), self._feeding.opt_out())
            for fault in faults:
                await self._one_fault(fault)
            await feeding
            await gatherResults(self._adopting)
            quiet = self._reactor.seconds()
            await self._until_drained()
            return await self._report(load, faults, began, self._reactor.seconds() - quiet)
        finally:
            if watching is not None:
                watching.cancel()
            if self._agents is not None:
                self._agents.end()
            await self._ground.end()

    async def _begin(self, began: float) -> Load:
        """Start everything."""
        ground, plan = self._ground, self._plan
        await ground.start()
        if plan.hosts > 1:
            self._agents = SharedAgents(ground, plan.seed, plan.agents)
        for _ in range(plan.hosts):
            await self._add_host()
        self._callees = Callees(float(int(self._reactor.seconds())))
        ground.tables = partial(tables, self._callees)
        if plan.hosts > 1:
            ground.tables = partial(shared_tables, plan.shares, self._callees)
        await ground.back_end.write_tables(ground.tables(0))
        planned = plan_load if plan.hosts == 1 else plan_load_for_agents
        load = planned(plan.seed, plan.numbers, began)
        self._feeding = Feeding(ground, load, self._share)
        for site in ground.sites:
            site.supervisor.start()
        await _all(*(Strikes(site).until_named(BEGINS_WITHIN) for site in ground.sites))
        return load

    async def _add_host(self) -> Site:
        site = await self._ground.add_host()
        if self._agents is not None:
            self._agents.join(site)
        return site

    def _plan_faults(self) -> tuple[Fault, ...]:
        plan = self._plan
        losses = plan_losses(plan.seed, plan.faults, plan.hosts)
        self._losses = {loss.number: loss for loss in losses}
        return plan_faults_of_hosts(plan.seed, plan.faults, losses, plan.hosts)

    def _share(self) -> float:
        """Return which share of the faults has struck."""
        return len(self._moments) / self._plan.faults if self._plan.faults else 1.0

    def _watch_leases(self) -> Deferred[None]:
        work = watch_leases(self._ground, self._lease_watch, self._lapses)
        watching = Deferred.fromCoroutine(work)
        return watching.addErrback(lambda failure: failure.trap(CancelledError))

    @property
    def _all_moments(self) -> list[Moment]:
        """The faults, and the leases that lapsed."""
        return [*self._moments, *self._lapses]

    # --- the faults ---------------------------------------------------------------------------

    async def _one_fault(self, fault: Fault) -> None:
        if not fault.is_hot:
            await self._until_moved(fault.number)
        await self._pause(fault.pause)
        struck = [(strike, self._struck_by(strike)) for strike in fault.strikes]
        hosts = self._hosts_of(struck)
        began, noted = self._reactor.seconds(), set[str]()
        where = "" if self._plan.hosts == 1 else f" on {', '.join(sorted(hosts))}"
        self._say(f"fault {fault}{where}")

        async def look() -> None:
            noted.update(await self._ground.noted(hosts) or ())

        await look()
        striking = _all(*(self._strike(fault, strike, site, look) for strike, site in struck))
        await look()
        await striking
        await look()
        await self._pause(SETTLED)
        await look()
        lasted = self._reactor.seconds() - began
        self._moments.append(Moment(began, frozenset(noted), lasted, hosts))

    def _struck_by(self, strike: Strike) -> Site:
        sites = self._ground.sites
        return sites[int(strike.where * len(sites))]

    def _hosts_of(self, struck: Sequence[tuple[Strike, Site]]) -> frozenset[str]:
        """Return the names of the hosts that these strikes concern."""
        if any(strike.kind.strikes_all for strike, _ in struck):
            return frozenset(site.name for site in self._ground.sites)
        return frozenset(site.name for _, site in struck)

    async def _strike(
        self, fault: Fault, strike: Strike, site: Site, look: Callable[[], Awaitable[None]]
    ) -> None:
        try:
            if strike.kind in LOSSES:
                await self._lose(site, self._losses[fault.number], strike.kind)
            else:
                await Strikes(site).strike(strike, look)
        except HarnessProblem as error:
            self._problems.append(f"{strike.kind.value}: {error}")

    async def _lose(self, site: Site, loss: Loss, kind: Kind) -> None:
        """Lose a host for good, replace it, and let an operator take over what it had."""
        with_switch = kind is Kind.BURN_HOST
        await site.lose(with_switch=with_switch)
        if loss.is_replaced:
            (await self._add_host()).supervisor.start()
        if loss.by_hand:
            adopting = self._operator.adopt(site, asks_switch=not with_switch)
            self._adopting.append(Deferred.fromCoroutine(adopting))

    async def _until_moved(self, number: int) -> None:
        """Wait until the campaign is as far as the faults are, so that both end together."""
        wanted = 0.95 * self._plan.numbers * (number - 1) / self._plan.faults
        give_up = self._reactor.seconds() + MOVES_WITHIN
        first = await self._gathering.progress()
        while self._reactor.seconds() < give_up:
            now = await self._gathering.progress()
            if now is not None and first is not None:
                if now.recorded >= wanted and now.recorded > first.recorded:
                    return
                if _is_drained(now):
                    return
            await self._pause(LOOK)
            first = first or now

    # --- the end ------------------------------------------------------------------------------

    async def _until_drained(self) -> None:
        self._say("everything is left alone")
        progress = self._gathering.progress
        try:
            await watch(self._reactor, progress, _is_drained, STALLED, LOOK)
        except Stalled as error:
            self._problems.append(str(error))

    async def _report(
        self, load: Load, faults: tuple[Fault, ...], began: float, drained_after: float
    ) -> Report:
        """End the daemons, and audit what is left."""
        if self._plan.hosts > 1:
            await self._look_for_places()
        for site in self._ground.sites:
            status = await site.supervisor.stop()
            if status not in GOOD_ENDS:
                self._problems.append(f"the last daemon of {site.name} ended with {status}")
        findings = examine(await self._evidence(load))
        shared = self._shared_findings()
        self._problems += [*self._gathering.odd_ends(), *self._operator.problems]
        return Report(
            self._plan,
            faults,
            findings,
            dict(self._gathering.statuses()),
            self._reactor.seconds() - began,
            drained_after,
            tuple(self._problems),
            shared,
            self._operator.look_back(),
            await self._abandoned(),
        )

    async def _look_for_places(self) -> None:
        """Find places that hosts hold although no call is left."""
        in_force_now = self._plan.shares.in_force(self._ground.generation)
        try:
            await watch(
                self._reactor,
                partial(self._gathering.held, in_force_now),
                lambda held: not held,
                TRANSIT * 10,
                LOOK,
            )
        except Stalled:
            held = await self._gathering.held(in_force_now)
            self._problems += [f"a place is not given back: {one}" for one in held]

    def _shared_findings(self) -> SharedFindings:
        if self._plan.hosts == 1:
            return SharedFindings()
        logs, freed = self._gathering.logs(), self._lease_watch.freed
        witnesses = {
            site.name: Witness(logs[site.name], site.switch_ended, freed[site.name])
            for site in self._ground.all_sites
        }
        return examine_shared(
            witnesses,
            partial(lateness, self._all_moments),
            self._plan.shares.counts_on,
        )

    async def _abandoned(self) -> AbandonedFindings:
        if self._agents is None:
            return AbandonedFindings()
        log = together(self._gathering.logs())
        calls = {one.uuid for one in log.originates if one.variables.get(TASK_NAME) == AGENT_TASK}
        doubtful = frozenset().union(*(moment.noted for moment in self._all_moments))
        ledgers = await self._gathering.ledgers()
        return examine_abandoned(log, calls, self._agents.bridged, doubtful, ledgers)

    async def _evidence(self, load: Load) -> Evidence:
        gathering = self._gathering
        return Evidence(
            entries=load.entries,
            left=await gathering.left(),
            in_flight=await gathering.in_flight(),
            records=await gathering.records(),
            cdr_ids=await gathering.listed(),
            log=together(gathering.logs()),
            moments=self._all_moments,
            most_calls=MOST_CALLS * MAX_TRIES,
            rules=Rules(self._callees, self._feeding.opted_out),
            silent=SILENT,
        )

    async def _pause(self, seconds: float) -> None:
        await self._ground.pause(seconds)


def _all(*work: Any) -> Deferred[Any]:
    return gatherResults([Deferred.fromCoroutine(one) for one in work])


def _is_drained(state: StageProgress | None) -> bool:
    return state is not None and state.queued == state.in_flight == state.waiting == 0
