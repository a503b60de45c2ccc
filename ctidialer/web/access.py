"""Who may ask: the bearer tokens, the dashboard's sessions, and what keeps foreign pages out."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from secrets import token_urlsafe

from attrs import frozen

from ctidialer.settings import is_loopback
from ctidialer.settings.tokens import HashedToken, Role
from ctidialer.web.answers import Refusal

COOKIE = "ctidialer_session"
SESSION_SECONDS = 12 * 3600.0
"""Seconds after which somebody has to sign in again."""

MAX_SESSIONS = 1000

MAX_FAILURES = 5
FORGIVEN_AFTER = 60.0
"""After MAX_FAILURES wrong tokens from one address within FORGIVEN_AFTER seconds, nobody can sign
in from there until these seconds are over.  Other addresses can: somebody who guesses must not lock
the operators out.
"""

MAX_ADDRESSES = 1000

NO_TOKEN = (
    'send the header "Authorization: Bearer <token>", with [http] token, or one of [http] tokens,'
    " of the settings"
)


@frozen
class RequestHeaders:
    """The headers of a request that say who asks; None = not there."""

    authorization: str | None = None
    cookies: Mapping[str, str] | None = None
    host: str | None = None
    origin: str | None = None
    requested_with: str | None = None


@frozen
class Visitor:
    """Who asks; ``session`` None = with a token itself, or anybody if no token is set.

    ``name`` is that of the token, empty = it has none.
    """

    session: str | None = None
    name: str = ""
    role: Role = Role.OPERATE


@frozen
class _Session:
    """Somebody who has signed in with ``token``, and may ask ``until`` then (seconds)."""

    until: float
    token: HashedToken


class WrongTokens:
    """The moments of the last wrong tokens from each address."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Return the seconds until a token from there is checked again; 0 = it is checked now."""
        times = self._of.get(address)
        passed = now - times[0] if times and len(times) == MAX_FAILURES else FORGIVEN_AFTER
        # If the clock was set back, nobody may be kept out for longer.
        return FORGIVEN_AFTER - passed if 0 <= passed < FORGIVEN_AFTER else 0.0

    def add(self, address: str, now: float) -> None:
        """Remember a wrong one."""
        self._of.setdefault(address, deque(maxlen=MAX_FAILURES)).append(now)
        self._of.move_to_end(address)
        while len(self._of) > MAX_ADDRESSES:
            self._of.popitem(last=False)

    def forgive(self, address: str) -> None:
        """Forget those from there: the right one came."""
        self._of.pop(address, None)


class Access:
    """Admits requests with ``token``, or with one of ``named``; if there is none at all, all
    requests to a loopback name.

    ``clock`` gives seconds.
    """

    def __init__(
        self, token: str, clock: Callable[[], float], named: Sequence[HashedToken] = ()
    ) -> None:
        self._tokens = (*((HashedToken.of(token),) if token else ()), *named)
        self._clock = clock
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._wrong = WrongTokens()

    @property
    def needs_token(self) -> bool:
        """Whether a token is set."""
        return bool(self._tokens)

    def admit(self, headers: RequestHeaders, changes: bool) -> Visitor:
        """Return who asks; ``changes``: the request would change something.  Raises Refusal."""
        if not self.needs_token:
            self._refuse_foreign_names(headers)
            self.refuse_foreign_pages(headers, changes)
            return Visitor()
        scheme, _, token = (headers.authorization or "").partition(" ")
        if scheme.lower() == "bearer":  # another one is for a proxy between us
            return self._bearer(token.strip())
        session = (headers.cookies or {}).get(COOKIE, "")
        open_session = self._open(session)
        if open_session is None:
            raise Refusal(401, NO_TOKEN, (("WWW-Authenticate", 'Bearer realm="ctidialer"'),))
        self.refuse_foreign_pages(headers, changes)
        if changes and headers.requested_with != "ctidialer":
            raise Refusal(
                403, 'send the header "X-Requested-With: ctidialer", which no foreign page can'
            )
        return Visitor(session, open_session.token.name, open_session.token.role)

    def sign_in(self, token: str, address: str = "") -> str:
        """Begin a session for a client that knows a token; return the value of its cookie.

        ``address`` is where the request comes from.  Raises Refusal: 401, or 429 after too many
        wrong ones from there.
        """
        now = self._clock()
        if left := self._wrong.wait(address, now):
            wait = max(1, round(left))
            raise Refusal(
                429, f"too many wrong tokens: try again in {wait} s", (("Retry-After", str(wait)),)
            )
        known = self._known(token)
        if known is None:
            self._wrong.add(address, now)
            raise Refusal(401, "this is no token of the settings ([http] token or tokens)")
        self._wrong.forgive(address)
        session = token_urlsafe(32)
        self._sessions[session] = _Session(now + SESSION_SECONDS, known)
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def sign_out(self, session: str | None) -> None:
        """End a session."""
        if session is not None:
            self._sessions.pop(session, None)

    def is_open(self, session: str) -> bool:
        """Say whether a session is still valid."""
        return self._open(session) is not None

    def _open(self, session: str) -> _Session | None:
        found = self._sessions.get(session)
        if found is not None and found.until <= self._clock():
            del self._sessions[session]
            return None
        return found

    def _bearer(self, token: str) -> Visitor:
        known = self._known(token)
        if known is None:
            headers = (("WWW-Authenticate", 'Bearer realm="ctidialer", error="invalid_token"'),)
            raise Refusal(401, f"the token is wrong: {NO_TOKEN}", headers)
        return Visitor(name=known.name, role=known.role)

    def _known(self, token: str) -> HashedToken | None:
        # All are compared, so that the time does not show which one was nearly right.
        fitting = [one for one in self._tokens if one.fits(token)]
        return fitting[0] if fitting else None

    def _refuse_foreign_names(self, headers: RequestHeaders) -> None:
        """Refuse names that are not loopback: any page can let its own name lead to 127.0.0.1 (DNS
        rebinding)."""
        if not is_loopback(host_of(headers.host or "")):
            raise Refusal(
                403,
                f"without a token only loopback names are answered, not {headers.host!r}:"
                " set [http] token",
            )

    def refuse_foreign_pages(self, headers: RequestHeaders, changes: bool) -> None:
        """Raise Refusal for a request of another site's page that would change something.

        Browsers name the page's origin in such requests.
        """
        if changes and headers.origin is not None:
            origin = headers.origin.partition("://")[2]  # "null" has nothing behind it
            if not origin or origin != headers.host:
                raise Refusal(403, f"requests of a page of {headers.origin!r} are refused")


def host_of(address: str) -> str:
    """Return ``host`` of ``host:port`` or ``[IPv6]:port``."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]
