"""A simulated FreeSWITCH that speaks the Event Socket, for ``ctidialer demo`` and the tests.

Run it with ``python -m ctidialer.switchsim`` (``--help`` lists the options; it prints one line
``{"port": N}`` once it listens), or from Twisted with `ctidialer.stage.switch.start_switch`.
`ctidialer.switchsim.calllog` reads the log it writes, `ctidialer.switchsim.behaviour` describes the
script that decides what happens to each number.

It behaves as recordings of a real FreeSWITCH show, and shares no code with ``ctidialer.esl``: so
that each is a check on the other.  It is no telephone switch: there is no dialplan and no media, a
call is connected to another leg in its events alone, only the first leg of a dial string is dialed
(the log counts them all), ``loopback/`` and ``user/`` are single channels.

``show channels`` is up to 200 ms behind, as it is with FreeSWITCH: a call that was just placed is
not in it yet, one that just ended still is.  ``uuid_exists`` knows at once.

Faults are made over the Event Socket itself, by ``api sim ORDER VALUE`` or ``api sim {JSON}`` with
several orders in one object:

``number NUMBER {behaviour}``
    scripts a number (a list: its next attempts); JSON ``{"number": {"139": {…}, …}}``
``gateway NAME {behaviour}``, ``default {behaviour}``
    the same for a gateway, and for everything not scripted (this ends a script's ``mix``)
``known_gateways NAME…``
    says which gateways there are; JSON ``{"known_gateways": {"a": "up", "b": "down"}}``.  Without
    names (and without this order): all, and they are up
``gateway_state NAME up|down|gone``
    changes one of them; JSON ``{"gateway_state": {"carrier1": "down", …}}``
``bridge UUID``
    connects a call to another leg now, as an agent who takes it
``drop [fin|rst] [others]``
    closes all connections, or all but the one that asks
``mute SECONDS [others]``
    stops reading and answering: half-open connections; 0 seconds = for ever
``refuse SECONDS``
    closes the listening port for a time
``delay_replies SECONDS``
    every command waits so long before it is carried out; 0 ends it
``pause_events on|off``
    holds all events back; ``off`` delivers them
``acl on|off``
    turns new clients away as the access list does
``max_sessions N``, ``heartbeat SECONDS``
    the session limit; the interval of HEARTBEAT (0 = none)
``agents STATUS``
    gives all agents of mod_callcenter a status (``Logged Out``); JSON ``{"agents": {"a": "…"}}``
    those that are named
``agent_stuck NAME STATE``
    leaves an agent in ``Reserved`` or ``Receiving`` whatever happens; ``off`` ends it
``members_stay N``
    the next N members stay listed when their call has ended
``agent_calls_stay on|off``
    the agent's call goes on when the callee has hung up, until ``uuid_kill`` ends it
``work {"handle_time": …, "ring": …, "no_answer": …}``
    how agents work from now on
``stats``
    ``+OK {"calls":…,"originates":…,"listeners":…,"commands":{"originate":…}}``
``clear``
    ends all of these and forgets scripted numbers and gateways

Calls are refused, and session limits are reached, with FreeSWITCH's own commands: ``fsctl pause``,
``fsctl max_sessions``, ``fsctl sps``.  A process stopped with SIGSTOP (`SwitchProcess.pause`) is a
host that hangs.
"""
