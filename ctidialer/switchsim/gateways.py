"""The SIP gateways of the switch, and what ``sofia`` tells of them (recording 73).

As long as nobody has said which there are, every gateway exists and is up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import Factory, define, frozen

PROFILE = "external"
STATES = ("up", "down", "gone")
_DEFAULT_PROXY = "127.0.0.1:5060"
_RULE = "=" * 97
_INVALID = "Invalid Gateway!\n"
_XML_HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
_DOMAIN_NAME = f"{PROFILE}::"


@frozen
class Gateway:
    """One gateway; ``proxy`` is the far end's HOST:PORT."""

    name: str
    is_up: bool
    proxy: str


@define
class Gateways:
    """Which gateways there are.  It can be changed while calls run."""

    _others_exist: bool = True
    _states: dict[str, str] = Factory(dict)
    _proxies: dict[str, str] = Factory(dict)

    def set_all(self, states: object) -> None:
        """Say which gateways exist, and no others: names, or an object of name and state.

        A state is ``up``, ``down``, or an object ``{"state": …, "proxy": "HOST:PORT"}``.  Raises
        ValueError.
        """
        known = states if isinstance(states, Mapping) else dict.fromkeys(_names(states), "up")
        self._states, self._proxies, self._others_exist = {}, {}, False
        for name, state in known.items():
            self.set_one(name, state)

    def set_one(self, name: str, state: object) -> None:
        """Say how one gateway is: as in :meth:`set_all`, or ``gone``.  Raises ValueError."""
        given = dict(state) if isinstance(state, Mapping) else {"state": state}
        if given.get("state") not in STATES:
            raise ValueError(f"a gateway is {', '.join(STATES)}, not {given.get('state')!r}")
        self._states[name] = str(given["state"])
        if "proxy" in given:
            self._proxies[name] = str(given["proxy"])

    def clear(self) -> None:
        """Let every gateway exist and be up."""
        self._states, self._proxies, self._others_exist = {}, {}, True

    def fault(self, name: str) -> str:
        """Return the cause for which no call leaves through a gateway, empty = it is fine."""
        state = self._state(name.removeprefix(_DOMAIN_NAME))
        return {"gone": "INVALID_GATEWAY", "down": "GATEWAY_DOWN"}.get(state, "")

    def sofia(self, argument: str) -> str:
        """Answer ``sofia``: what is asked of the status of all, or of gateways."""
        match argument.split():
            case ["status"]:
                return self._status()
            case ["status", "gateway", name]:
                gateway = self._find(name)
                return _INVALID if gateway is None else _as_text(gateway)
            case ["xmlstatus", "gateway"]:
                every = "".join(_as_xml(gateway) for gateway in self._known())
                return f"{_XML_HEAD}<gateways>\n{every}</gateways>\n"
            case ["xmlstatus", "gateway", name]:
                gateway = self._find(name)
                return _INVALID if gateway is None else _XML_HEAD + _as_xml(gateway)
            case ["profile", profile, "gwlist", ("up" | "down") as state] if profile == PROFILE:
                names = (one.name for one in self._known() if one.is_up is (state == "up"))
                return "".join(f"{name} " for name in names)
            case words:
                return f"Unknown Command [{words[0] if words else ''}]\n"

    def _state(self, name: str) -> str:
        return self._states.get(name, "up" if self._others_exist else "gone")

    def _find(self, name: str) -> Gateway | None:
        bare = name.removeprefix(_DOMAIN_NAME)
        state = self._state(bare)
        if state == "gone":
            return None
        return Gateway(bare, state == "up", self._proxies.get(bare, _DEFAULT_PROXY))

    def _known(self) -> Iterable[Gateway]:
        return filter(None, map(self._find, self._states))

    def _status(self) -> str:
        rows = [(PROFILE, "profile", "sip:mod_sofia@127.0.0.1:15060", "RUNNING (0)")]
        rows += [
            (f"{_DOMAIN_NAME}{one.name}", "gateway", f"sip:dialer@{one.proxy}", "NOREG")
            for one in self._known()
        ]
        lines = [f"{name:>25}\t{kind}\t{data:>42}\t{state}\n" for name, kind, data, state in rows]
        head = f"{'Name':>25}\t{'Type':>7}\t{'Data':>42}\tState\n{_RULE}\n"
        return f"{head}{''.join(lines)}{_RULE}\n1 profile 0 aliases\n"


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list):
        return [str(name) for name in value]
    raise ValueError(f"gateways are a list or an object, not {value!r}")


def _fields(of: Gateway) -> list[tuple[str, str]]:
    """Return what both forms tell, by the names of the text."""
    return [
        ("Name", of.name),
        ("Profile", PROFILE),
        ("Scheme", "Digest"),
        ("Realm", of.proxy.partition(":")[0]),
        ("Username", "dialer"),
        ("Password", "yes"),
        ("From", f"<sip:dialer@{of.proxy}>"),
        ("Contact", f"<sip:gw+{of.name}@127.0.0.1:15060;transport=udp;gw={of.name}>"),
        ("Exten", "dialer"),
        ("To", f"sip:dialer@{of.proxy}"),
        ("Proxy", f"sip:{of.proxy}"),
        ("Context", "public"),
        ("Expires", "3600"),
        ("Freq", "3600"),
        ("Ping", "0"),
        ("PingFreq", "0"),
    ]


def _as_text(of: Gateway) -> str:
    fields = [
        *_fields(of),
        ("PingTime", "0.00"),
        ("PingState", "0/0/0"),
        ("State", "NOREG"),
        ("Status", "UP" if of.is_up else "DOWN"),
        ("Uptime", "177s" if of.is_up else "0s"),
        ("CallsIN", "0"),
        ("CallsOUT", "0"),
        ("FailedCallsIN", "0"),
        ("FailedCallsOUT", "0"),
    ]
    lines = "".join(f"{name:<8}\t{value}\n" for name, value in fields)
    return f"{_RULE}\n{lines}{_RULE}\n"


def _as_xml(of: Gateway) -> str:
    fields = [
        *((name.lower(), value) for name, value in _fields(of)),
        ("pingmin", "0"),
        ("pingcount", "0"),
        ("pingmax", "0"),
        ("pingtime", "0.00"),
        ("pinging", "0"),
        ("state", "NOREG"),
        ("status", "UP" if of.is_up else "DOWN"),
        ("uptime-usec", "177863837" if of.is_up else "0"),
        ("calls-in", "0"),
        ("calls-out", "0"),
        ("failed-calls-in", "0"),
        ("failed-calls-out", "0"),
    ]
    lines = "".join(f"    <{name}>{_escaped(value)}</{name}>\n" for name, value in fields)
    return f"  <gateway>\n{lines}  </gateway>\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
