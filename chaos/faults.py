"""Which faults strike, when and for how long: all from the seed, before anything is started."""

from __future__ import annotations

import enum
from random import Random

from attrs import frozen


class Target(enum.Enum):
    """What is struck."""

    DAEMON = "daemon"
    REDIS = "Redis"
    SWITCH = "switch"
    HOST = "host"


class Kind(enum.Enum):
    """A fault; the value is how it stands in the tables and in the log."""

    KILL_DAEMON = "daemon killed"
    STOP_DAEMON = "daemon stopped and continued"
    REPLACE_DAEMON = "daemon stopped, another takes over, then continued"
    END_DAEMON = "daemon drained (SIGTERM)"
    KILL_REDIS = "Redis killed"
    STOP_REDIS = "Redis stopped and continued"
    CUT_REDIS = "Redis' connections cut"
    HOLD_REDIS = "Redis' connections half open"
    DELAY_REDIS = "Redis slow"
    LOSE_REDIS = "Redis' answers lost"
    REFUSE_REDIS = "Redis unreachable"
    RIGHTS_REDIS = "rights taken from the daemon's Redis user"
    REWRITE_REDIS = "tables rewritten in any order, told or not"
    KILL_SWITCH = "switch killed"
    END_SWITCH = "switch shut down (SIGTERM)"
    STOP_SWITCH = "switch stopped and continued"
    CUT_SWITCH = "switch's connections cut"
    HOLD_SWITCH = "switch's connections half open"
    DELAY_SWITCH = "switch slow"
    LOSE_SWITCH = "switch's answers lost"
    REFUSE_SWITCH = "switch unreachable"
    GATEWAY_SWITCH = "a gateway lost, and found again"
    PAUSE_SWITCH = "switch refuses calls (fsctl pause)"
    KILL_HOST = "host lost for good, its switch goes on"
    BURN_HOST = "host lost for good, with its switch"

    @property
    def target(self) -> Target:
        """What this strikes."""
        word = self.name.rpartition("_")[2]
        return Target[word]

    @property
    def strikes_all(self) -> bool:
        """Whether it strikes all hosts at once."""
        return self in STRIKES_ALL


STRIKES_ALL = frozenset({Kind.KILL_REDIS, Kind.STOP_REDIS, Kind.RIGHTS_REDIS, Kind.REWRITE_REDIS})
LOSSES = (Kind.KILL_HOST, Kind.BURN_HOST)
"""Faults of a campaign with several hosts; all others strike one host too."""


@frozen
class _Span:
    """How long a fault lasts, in seconds; one in ``one_in`` lasts ``long`` instead."""

    usual: tuple[float, float]
    long: tuple[float, float] = (0.0, 0.0)
    one_in: int = 0

    def draw(self, random: Random) -> float:
        is_long = self.one_in > 0 and random.randrange(self.one_in) == 0
        return round(random.uniform(*(self.long if is_long else self.usual)), 3)


# The long ones outlast what makes the daemon give a connection up: 5 s of silence of Redis, 15 s of
# the switch; and, for the daemon, its lease.
_SPANS = {
    Kind.KILL_DAEMON: _Span((0.0, 1.0)),
    Kind.STOP_DAEMON: _Span((0.2, 1.5), (2.5, 4.0), 2),
    Kind.REPLACE_DAEMON: _Span((0.0, 0.5)),
    Kind.END_DAEMON: _Span((0.0, 0.5)),
    Kind.KILL_REDIS: _Span((0.0, 1.5), (2.5, 4.0), 4),
    Kind.STOP_REDIS: _Span((0.3, 2.5), (6.0, 7.0), 4),
    Kind.CUT_REDIS: _Span((0.0, 0.2)),
    Kind.HOLD_REDIS: _Span((0.3, 2.5), (6.0, 7.0), 4),
    Kind.DELAY_REDIS: _Span((1.0, 2.5)),
    Kind.LOSE_REDIS: _Span((0.5, 1.5)),
    Kind.REFUSE_REDIS: _Span((0.5, 3.0)),
    Kind.RIGHTS_REDIS: _Span((0.3, 2.5), (6.0, 7.0), 4),
    Kind.REWRITE_REDIS: _Span((0.5, 3.0)),
    Kind.KILL_SWITCH: _Span((0.0, 1.5), (2.5, 4.0), 4),
    Kind.END_SWITCH: _Span((0.0, 1.5)),
    Kind.STOP_SWITCH: _Span((0.3, 3.0), (11.0, 12.0), 8),
    Kind.CUT_SWITCH: _Span((0.0, 0.2)),
    Kind.HOLD_SWITCH: _Span((0.3, 3.0), (17.0, 18.0), 8),
    Kind.DELAY_SWITCH: _Span((1.0, 2.5)),
    Kind.LOSE_SWITCH: _Span((0.5, 1.5)),
    Kind.REFUSE_SWITCH: _Span((0.5, 3.0)),
    Kind.GATEWAY_SWITCH: _Span((0.3, 3.0)),
    Kind.PAUSE_SWITCH: _Span((0.3, 3.0)),
}

# How often each stands in the deck from which the faults are drawn.
_OFTEN = {
    Kind.KILL_DAEMON: 4,
    Kind.KILL_REDIS: 3,
    Kind.KILL_SWITCH: 3,
    Kind.REPLACE_DAEMON: 2,
    Kind.RIGHTS_REDIS: 2,
    Kind.REWRITE_REDIS: 2,
}
_HOT_SHARE = 0.3
_TWO_AT_ONCE = 0.2


@frozen
class Strike:
    """One thing that is struck, for ``seconds``; ``strength`` is from 0 to 1.

    ``where``: from 0 to 1, which one of the hosts that are left.
    """

    kind: Kind
    seconds: float
    strength: float
    where: float = 0.0


@frozen
class Fault:
    """One or two strikes at the same moment.

    ``is_hot``: it comes ``pause`` seconds after the one before, however far the campaign has got;
    else only when the campaign has moved on since.
    """

    number: int
    strikes: tuple[Strike, ...]
    is_hot: bool
    pause: float

    def __str__(self) -> str:
        return f"{self.number}: " + " and ".join(
            f"{strike.kind.value} ({strike.seconds:.1f} s)" for strike in self.strikes
        )


def plan_faults(seed: int, count: int) -> tuple[Fault, ...]:
    """Return ``count`` faults; the same seed gives the same ones.

    They are drawn from a shuffled deck, so that every kind comes before any comes again often.
    """
    random = Random(seed)
    deck: list[Kind] = []
    faults = []
    for number in range(1, count + 1):
        strikes = [_strike(_drawn(deck, random), random)]
        if random.random() < _TWO_AT_ONCE:
            second = _drawn(deck, random)
            if second.target is not strikes[0].kind.target:
                strikes.append(_strike(second, random))
        is_hot = random.random() < _HOT_SHARE
        faults.append(Fault(number, tuple(strikes), is_hot, round(random.uniform(0.0, 1.5), 3)))
    return tuple(faults)


def _drawn(deck: list[Kind], random: Random) -> Kind:
    if not deck:
        usual = [kind for kind in Kind if kind not in LOSSES]
        deck += [kind for kind in usual for _ in range(_OFTEN.get(kind, 1))]
        random.shuffle(deck)
    return deck.pop()


def _strike(kind: Kind, random: Random) -> Strike:
    return Strike(kind, _SPANS[kind].draw(random), round(random.random(), 3))
