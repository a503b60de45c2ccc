"""One simulated call: what happens when, and the events that tell of it.

The order of events and the headers they carry follow the recordings named at each step.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from ctidialer.switchsim.behaviour import Behaviour
from ctidialer.switchsim.callcenter.tables import Member
from ctidialer.switchsim.causes import PHRASES, cause_of_q850, cause_of_status, q850_of
from ctidialer.switchsim.dialstring import DialRequest
from ctidialer.switchsim.exchange import Exchange
from ctidialer.switchsim.fields import (
    agent_starts,
    end_fields,
    first_fields,
    other_leg,
    refusal_fields,
    route_fields,
    set_variables,
)
from ctidialer.switchsim.timeouts import longest_wait, timeouts

_SILENCE_SECONDS = 32.0
_UNREACHABLE_AFTER = 0.02


class Call:
    """A channel from CHANNEL_CREATE to CHANNEL_DESTROY.

    ``job`` fires with the text that ``originate`` answers; never with a failure.
    """

    def __init__(
        self,
        switch: Exchange,
        request: DialRequest,
        behaviour: Behaviour,
        uuid: str,
        serial: int,
        *,
        named: bool,
    ) -> None:
        self._switch = switch
        self.request = request
        self.behaviour = behaviour
        self.uuid = uuid
        self.serial = serial
        self.job: Deferred[str] = Deferred()
        self.sip = request.endpoint in ("sofia", "user")
        self.answered = False
        self.over = False
        self.started_at = switch.now()
        self.routed = False
        self.cause = ""
        self.call_state = b"DOWN"
        self.path: tuple[str, ...] = ("sofia created" if self.sip else "null created",)
        self.fields = first_fields(request, uuid, serial, switch.now())
        self.tags = frozenset({"named"}) if named else frozenset()
        self.member: Member | None = None
        self._timers: list[IDelayedCall] = []

    @property
    def ignores_early_media(self) -> bool:
        """Whether a 183 does not count as the originate's success."""
        wish = self.request.variable("ignore_early_media").lower()
        return self.request.is_true("ignore_early_media") or wish in ("ring_ready", "consume")

    def start(self) -> None:
        """Send the INVITE: CHANNEL_CREATE, and the course of the call begins."""
        if not self.behaviour.create_last:
            self._create()
        if self.behaviour.progress != "none":
            self._later(self.behaviour.progress_after, self._progress)
        if not self.over:
            self._await_final_response()
        if not (self.over or self.job.called):  # when the originate is over no timeout counts
            self._watch_timeouts()

    def _await_final_response(self) -> None:
        result = self.behaviour.result
        ring = self._switch.script.seconds(self.behaviour.ring, self.request.number, "ring")
        if result == "answer":
            self._later(ring, self._answer)
        elif result == "sip":
            self._later(ring, self._refuse)
        elif result == "unreachable":
            self._later(_UNREACHABLE_AFTER, self._unreachable)
        elif result == "silent" and self.behaviour.progress == "none":
            self._later(_SILENCE_SECONDS, lambda: self._cancel("RECOVERY_ON_TIMER_EXPIRE"))
        else:
            self._later(longest_wait(self.request) + 1.0, self._give_up)

    def _give_up(self) -> None:
        """End a call that nobody answers: no timeout watches it once its job is done (14)."""
        self.behaviour = evolve(self.behaviour, status=480, reason=0)
        self._refuse()

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        if delay <= 0:
            action()
        else:
            self._timers.append(self._switch.clock.callLater(delay, self._if_alive, action))

    def _if_alive(self, action: Callable[[], None]) -> None:
        if not self.over:
            action()

    def _watch_timeouts(self) -> None:
        for delay, cause in timeouts(self.request, self._switch.now()):
            self._timers.append(self._switch.clock.callLater(delay, self._time_out, cause))

    def _time_out(self, cause: str) -> None:
        progressed = self.call_state != b"DOWN"
        if self.over or self.job.called or (cause == "PROGRESS_TIMEOUT" and progressed):
            return
        self._cancel(cause)

    def _fire(self, name: str, state: bytes, number: int, answer_state: bytes) -> None:
        self.fields[b"state"], self.fields[b"state_number"] = state, b"%d" % number
        self.fields[b"call_state"], self.fields[b"answer_state"] = self.call_state, answer_state
        if name not in self.behaviour.lose:
            variables = self.request.variables
            self._switch.fire_channel(name, self.path, self.tags, self.fields, variables)

    def _now_field(self) -> bytes:
        return b"%d" % int(self._switch.now() * 1_000_000)

    def _create(self) -> None:
        self._fire("CHANNEL_CREATE", b"CS_INIT", 2, b"ringing")

    def _progress(self) -> None:
        if self.answered:
            return
        early = self.behaviour.progress == "early"
        field = b"progress_media" if early else b"progress"
        self.fields[field] = self._now_field()
        if self.sip:
            self.path += ("early" if early else "ringing",)
        else:
            self.tags |= {"early" if early else "ringing"}
        name, state = (
            ("CHANNEL_PROGRESS_MEDIA", b"early") if early else ("CHANNEL_PROGRESS", b"ringing")
        )
        self._fire(name, b"CS_CONSUME_MEDIA", 7, state)
        self.call_state = b"EARLY" if early else b"RINGING"
        if early:
            self._early_media()

    def _early_media(self) -> None:
        """Go on after a 183: without ignore_early_media the originate has succeeded (14, 17)."""
        if self.sip:
            self.path += ("media",)
        if not self.ignores_early_media:
            self._report(f"+OK {self.uuid}\n")
            self._route()

    def _answer(self) -> None:
        self.answered = True
        self._switch.log_answer(self)
        self.fields[b"answered"] = self._now_field()
        again = "early" in self.path
        self.path += (("answered again" if again else "answered") if self.sip else "null answered",)
        state, number = (b"CS_EXECUTE", 4) if self.routed else (b"CS_CONSUME_MEDIA", 7)
        self._fire("CHANNEL_ANSWER", state, number, b"answered")
        self.call_state = b"ACTIVE"
        self.path += ("connected",)
        talk = self._switch.script.seconds(self.behaviour.talk, self.request.number, "talk")
        if talk <= 0:
            self.hang_up("NORMAL_CLEARING", "bye")
        else:
            self._talk(talk)

    def _talk(self, seconds: float) -> None:
        if self.behaviour.job in ("seeded", "before"):
            self._report(f"+OK {self.uuid}\n")
        if not self.routed:
            self._route()
        if self._enter_queue():
            return
        if self.behaviour.bridge is not None:
            number = self.request.number
            self._later(
                self._switch.script.seconds(self.behaviour.bridge, number, "bridge"), self.bridge
            )
        self._later(seconds, self.talked)

    def bridge(self) -> None:
        """The callee is connected to another leg (recordings 19, 95)."""
        agent = self.behaviour.variables.get("cc_agent")
        if agent is not None:
            self._switch.fire_custom("callcenter::info", agent_starts(self.uuid, agent), None)
        self._bridge_to(other_leg(self.uuid))

    def _bridge_to(self, other_uuid: str) -> None:
        self.fields[b"bridged"] = self._now_field()
        self.fields[b"other_uuid"] = other_uuid.encode()
        self.tags |= {"bridged"}
        self._fire("CHANNEL_BRIDGE", b"CS_EXECUTE", 4, b"answered")

    # In a queue ----------------------------------------------------------------------------------

    def connect(self, leg: str, variables: dict[str, str]) -> None:
        """An agent takes the call."""
        self.set_variables(**variables)
        self._bridge_to(leg)

    def talked(self) -> None:
        """The talk with an agent is over."""
        self._hang_up_after("bye" if self.behaviour.far_end_hangs_up else "send_bye")

    def set_variables(self, **variables: str) -> None:
        """Set channel variables."""
        self.request.variables.update(variables)
        set_variables(self.fields, self.request)

    def transfer(self, extension: str, dialplan: str, context: str) -> None:
        """Send the call to another extension (``uuid_transfer``); it leaves its queue."""
        request = evolve(self.request, extension=extension, dialplan=dialplan, context=context)
        self.request = request
        if not self.answered or self.over:
            return
        self._stop_timers()
        self._leave_queue()
        self.tags -= {"extension", "application_data"}
        self._route()
        if not self._enter_queue():
            length = self.behaviour.after_transfer
            seconds = self._switch.script.seconds(length, request.number, "transfer")
            self._later(seconds, lambda: self._hang_up_after("send_bye"))

    def _enter_queue(self) -> bool:
        """Wait in the queue to which the extension leads; False where it leads to none."""
        queue = self._switch.callcenter.queue_of(self.request.extension)
        if not queue:
            return False
        self.member = self._switch.callcenter.join(self, queue)
        patience = self.behaviour.patience
        seconds = self._switch.script.seconds(patience, self.request.number, "patience")
        self._later(seconds, self._lose_patience)
        return True

    def _lose_patience(self) -> None:
        if self.member is not None and not self.member.bridge_epoch:
            self._hang_up_after("bye")

    def _hang_up_after(self, stage: str) -> None:
        self.hang_up("NORMAL_CLEARING", stage)

    def _leave_queue(self) -> None:
        member, self.member = self.member, None
        if member is not None:
            self._switch.callcenter.leave(member)

    # To its end ----------------------------------------------------------------------------------

    def _route(self) -> None:
        self.routed = True
        tags, fields = route_fields(self.request, self._switch.now(), sip=self.sip)
        self.tags |= tags
        self.fields.update(fields)
        self.path += ("routed",)

    def _refuse(self) -> None:
        status, reason = self.behaviour.status, self.behaviour.reason
        cause = cause_of_q850(reason) if reason else cause_of_status(status)
        phrase = PHRASES.get(status, "Rejected").replace(" ", "%20").encode()
        self.fields.update(refusal_fields(status, phrase, cause))
        if reason:
            self.tags |= {"sip_reason"}
            self.fields[b"sip_reason"] = b"Q.850%%3Bcause%%3D%d" % reason
        self.hang_up(cause, "refused")

    def _unreachable(self) -> None:
        cause = "NORMAL_TEMPORARY_FAILURE"
        self.fields.update(refusal_fields(503, b"Service%20Unavailable", cause))
        self.tags |= {"unreachable"}
        self.hang_up(cause, "unreachable")

    def _cancel(self, cause: str) -> None:
        self.hang_up(cause, "cancelled")

    def kill(self, cause: str) -> None:
        """Hang up from this side: uuid_kill, hupall, shutdown."""
        self.hang_up(cause, "send_bye" if self.answered else "cancelled")

    def hang_up(self, cause: str, stage: str) -> None:
        """End the call; ``stage`` says in which way, and counts for SIP only."""
        if self.over:
            return
        self.over = True
        self.cause = cause
        self._stop_timers()
        if self.answered and self.behaviour.variables:
            self.request.variables.update(self.behaviour.variables)
            set_variables(self.fields, self.request)
        self.fields[b"cause"] = cause.encode()
        self.fields[b"q850"] = b"%d" % q850_of(cause)
        self.path += ((stage,) if self.sip else ()) + ("ended",)
        if self.sip and stage == "bye" and "extension" in self.tags and self.routed:
            self.tags |= {"playback"}
        if self.sip and cause == "LOSE_RACE":
            self.tags |= {"elsewhere"}
        order = self._switch.script.job_order(
            self.behaviour, self.request.number, stage, answered=self.answered
        )
        self._end_events(order)

    def _stop_timers(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()

    def _end_events(self, order: str) -> None:
        text = self._end_text()
        if order == "before":
            self._report(text)
        state = b"CS_EXECUTE" if self.routed else b"CS_CONSUME_MEDIA"
        self._fire("CHANNEL_HANGUP", state, 10, b"hangup")
        self._leave_queue()
        if self.behaviour.create_last:
            self._create()
        self._switch.call_over(self)
        if order == "first":
            self._report(text)
        self.call_state = b"HANGUP"
        self.fields[b"hangup"] = self._now_field()
        self.fields.update(end_fields(self.fields))
        self.path += ("reported",)
        self._fire("CHANNEL_HANGUP_COMPLETE", b"CS_REPORTING", 11, b"hangup")
        if order == "middle":
            self._report(text)
        self._fire("CHANNEL_DESTROY", b"CS_REPORTING", 12, b"hangup")
        self._report(text)

    def _end_text(self) -> str:
        talked = self.answered and self.routed
        return f"+OK {self.uuid}\n" if talked else f"-ERR {self.cause}\n"

    def _report(self, text: str) -> None:
        if not self.job.called:
            self.job.callback(text)
