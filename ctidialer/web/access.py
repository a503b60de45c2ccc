"""Who may ask: the bearer token, the dashboard's sessions, and what keeps foreign pages out."""

from __future__ import annotations

import hmac
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from secrets import token_urlsafe

from attrs import frozen

from ctidialer.settings import is_loopback
from ctidialer.web.answers import Refusal

COOKIE = "ctidialer_session"
SESSION = 12 * 3600.0
"""Seconds after which somebody has to sign in again."""

MOST_SESSIONS = 1000

FAILURES = 5
FORGIVEN_AFTER = 60.0
"""So many wrong tokens within so many seconds: nobody can sign in until the seconds are over."""

NO_TOKEN = 'send the header "Authorization: Bearer <token>", with [http] token of the settings'


@frozen
class Headers:
    """The headers of a request that say who asks; None = not there."""

    authorization: str | None = None
    cookies: Mapping[str, str] | None = None
    host: str | None = None
    origin: str | None = None
    requested_with: str | None = None


@frozen
class Visitor:
    """Who asks; ``session`` None = by the token itself, or where none is set by anybody."""

    session: str | None = None


class Access:
    """Lets in who knows ``token``; with an empty one everybody, but only by a loopback name.

    ``clock`` gives seconds.
    """

    def __init__(self, token: str, clock: Callable[[], float]) -> None:
        self._token = token.encode()
        self._clock = clock
        self._sessions: OrderedDict[str, float] = OrderedDict()
        self._failures: deque[float] = deque(maxlen=FAILURES)

    @property
    def needs_token(self) -> bool:
        """Whether a token is set."""
        return bool(self._token)

    def admit(self, headers: Headers, changes: bool) -> Visitor:
        """Return who asks; ``changes``: the request would change something.  Raises Refusal."""
        if not self.needs_token:
            self._refuse_foreign_names(headers)
            self._refuse_foreign_pages(headers, changes)
            return Visitor()
        if headers.authorization is not None:
            self._check_bearer(headers.authorization)
            return Visitor()
        session = (headers.cookies or {}).get(COOKIE, "")
        if not self._is_open(session):
            raise Refusal(401, NO_TOKEN, (("WWW-Authenticate", 'Bearer realm="ctidialer"'),))
        self._refuse_foreign_pages(headers, changes)
        if changes and headers.requested_with != "ctidialer":
            raise Refusal(
                403, 'send the header "X-Requested-With: ctidialer", which no foreign page can'
            )
        return Visitor(session)

    def sign_in(self, token: str) -> str:
        """Begin a session for who knows the token; return what its cookie holds.

        Raises Refusal: 401, or 429 after too many wrong ones.
        """
        now = self._clock()
        if len(self._failures) == FAILURES and now - self._failures[0] < FORGIVEN_AFTER:
            wait = max(1, round(FORGIVEN_AFTER - (now - self._failures[0])))
            raise Refusal(
                429, f"too many wrong tokens: try again in {wait} s", (("Retry-After", str(wait)),)
            )
        if not self._is_token(token):
            self._failures.append(now)
            raise Refusal(401, "this is not the token of the settings ([http] token)")
        self._failures.clear()
        session = token_urlsafe(32)
        self._sessions[session] = now + SESSION
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def sign_out(self, session: str | None) -> None:
        """End a session."""
        if session is not None:
            self._sessions.pop(session, None)

    def _is_open(self, session: str) -> bool:
        until = self._sessions.get(session)
        if until is not None and until <= self._clock():
            del self._sessions[session]
            return False
        return until is not None

    def _check_bearer(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._is_token(token.strip()):
            headers = (("WWW-Authenticate", 'Bearer realm="ctidialer", error="invalid_token"'),)
            raise Refusal(401, f"the token is wrong: {NO_TOKEN}", headers)

    def _is_token(self, token: str) -> bool:
        # In constant time: how long it takes does not tell how much of it was right.
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token)

    def _refuse_foreign_names(self, headers: Headers) -> None:
        """A page of anybody's may have its own name lead to 127.0.0.1 (DNS rebinding)."""
        if not is_loopback(host_of(headers.host or "")):
            raise Refusal(
                403,
                f"without a token only loopback names are answered, not {headers.host!r}:"
                " set [http] token",
            )

    def _refuse_foreign_pages(self, headers: Headers, changes: bool) -> None:
        """Browsers say which page a request that changes something comes from."""
        if changes and headers.origin is not None:
            origin = headers.origin.partition("://")[2]
            if origin != (headers.host or ""):
                raise Refusal(403, f"requests of a page of {headers.origin!r} are refused")


def host_of(address: str) -> str:
    """Return ``host`` of ``host:port`` or ``[IPv6]:port``."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]
