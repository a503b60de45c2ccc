"""Brings requests of twisted.web to their routes, and the answers back."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from twisted.web.server import Request as SiteRequest

from ctidialer.settings.tokens import Role
from ctidialer.store.errors import NotAllowed, StoreError, WrongType
from ctidialer.web.access import Access, RequestHeaders, Visitor
from ctidialer.web.answers import HTML, Answer, Asked, Refusal
from ctidialer.web.connections import (
    MAX_REFUSED,
    Connections,
    CountedChannel,
    RefusedConnection,
)
from ctidialer.web.routes import EVENTS, Route, Streamed, WebRoutes

MAX_BODY_BYTES = 64 * 1024

SECURITY = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Server", "ctidialer"),
)
CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class _Bounded(BytesIO):
    """The body of a request, up to MAX_BODY_BYTES."""

    is_too_large = False

    def write(self, data: bytes) -> int:  # type: ignore[override]  # only bytes are written here
        """Keep the data unless the body gets too large."""
        if self.tell() + len(data) > MAX_BODY_BYTES:
            self.is_too_large = True
            return len(data)
        return super().write(data)


class BoundedRequest(SiteRequest):
    """A request whose body is kept in memory up to MAX_BODY_BYTES, and thrown away beyond it."""

    def gotLength(self, length: int | None) -> None:
        """The headers are there; the body comes."""
        self.content = _Bounded()

    @property
    def is_too_large(self) -> bool:
        """Whether the body is longer than it may be."""
        return getattr(self.content, "is_too_large", False)


class QuietSite(Site):
    """A site without an access log: a request may contain secrets.

    Connections beyond those that ``connections`` allows are refused.
    """

    requestFactory = BoundedRequest
    protocol = CountedChannel  # type: ignore[assignment]  # no HTTP/2 is negotiated

    def __init__(self, root: Root, connections: Connections, idle_timeout: float, reactor: Any):
        super().__init__(root, timeout=idle_timeout, reactor=reactor)
        self._connections = connections

    def buildProtocol(self, addr: Any) -> Any:
        """Return what answers a connection; None = it is closed at once."""
        host = getattr(addr, "host", "")
        refusal = self._connections.refusal(host)
        if refusal is None:
            channel = super().buildProtocol(addr)
            self._connections.opened(host)
            channel.over = partial(self._connections.closed, host)
            return channel
        if self._connections.refused >= MAX_REFUSED:
            return None
        return RefusedConnection(refusal, self._connections, self.reactor.callLater)

    def log(self, request: Request) -> None:
        """Write nothing."""


class Root(Resource):
    """Every path."""

    isLeaf = True
    log = Logger()

    def __init__(self, routes: WebRoutes, access: Access) -> None:
        super().__init__()
        self._routes = routes
        self._access = access

    def render(self, request: BoundedRequest) -> int:
        """Answer a request, now or later."""
        for name, value in SECURITY:
            request.setHeader(name, value)
        answering = Deferred.fromCoroutine(self._answer(request))
        request.notifyFinish().addErrback(lambda _: answering.cancel())
        answering.addErrback(self._refused)
        answering.addErrback(partial(self._failed, request))
        answering.addCallback(partial(self._send, request))
        answering.addErrback(partial(self.log.failure, "Answering a request failed"))
        return NOT_DONE_YET

    async def _answer(self, request: BoundedRequest) -> Answer | Streamed:
        path = request.path.decode("ascii", "replace")
        method = request.method.decode("ascii", "replace")
        route, names = self._found(request, method, path)
        try:
            visitor = self._visitor(request, route)
        except Refusal as refusal:
            if refusal.status == 401 and route.if_unknown is not None:
                return route.if_unknown()
            raise
        if request.is_too_large:
            raise Refusal(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
        answer = await route.answered(asked(request, method, path, names, visitor))
        if method == "HEAD" and isinstance(answer, Streamed):
            return Answer(content_type=EVENTS)
        return answer

    def _visitor(self, request: BoundedRequest, route: Route) -> Visitor:
        """Return who asks.  Raises Refusal."""
        headers = headers_of(request)
        if route.is_open:
            self._access.refuse_foreign_pages(headers, route.changes)
            return Visitor()
        visitor = self._access.admit(headers, route.changes)
        if route.is_order and visitor.role is Role.READ:
            raise Refusal(403, f"the token {visitor.name!r} may only read: its role is not operate")
        return visitor

    def _found(
        self, request: BoundedRequest, method: str, path: str
    ) -> tuple[Route, dict[str, str]]:
        try:
            return self._routes.find(method, path)
        except Refusal:
            self._access.admit(headers_of(request), changes=False)  # who may not ask learns nothing
            raise

    def _refused(self, failure: Failure) -> Answer:
        if failure.check(WrongType):
            return Refusal(409, failure.getErrorMessage()).answer()
        if failure.check(NotAllowed):
            return Refusal(503, f"Redis refuses it: {failure.getErrorMessage()}").answer()
        if failure.check(StoreError):
            return Refusal(503, f"Redis does not answer: {failure.getErrorMessage()}").answer()
        failure.trap(Refusal)
        error = failure.value
        assert isinstance(error, Refusal)
        return error.answer()

    def _failed(self, request: Request, failure: Failure) -> Answer | None:
        if failure.check(CancelledError):
            return None  # the client has gone
        path = request.path.decode("ascii", "replace")
        self.log.failure("Answering {path} failed", failure, path=path)
        return Refusal(500, "ctidialer has a fault: see its log").answer()

    def _send(self, request: Request, answer: Answer | Streamed | None) -> None:
        if answer is None or request._disconnected:
            return
        if isinstance(answer, Streamed):
            request.setHeader("Content-Type", f"{EVENTS}; charset=utf-8")
            request.setHeader("X-Accel-Buffering", "no")  # nginx would hold the events back
            answer.begin(request)
            return
        request.setResponseCode(answer.status)
        if answer.status != 204:  # which has neither (RFC 9110 section 8.6)
            request.setHeader("Content-Type", answer.content_type)
            request.setHeader("Content-Length", str(len(answer.body)))
        if answer.status == 401:
            request.setHeader("WWW-Authenticate", 'Bearer realm="ctidialer"')
        if answer.content_type == HTML:
            request.setHeader("Content-Security-Policy", CONTENT_SECURITY)
        for name, value in answer.headers:
            request.setHeader(name, value)
        request.write(answer.body)
        request.finish()


def headers_of(request: Request) -> RequestHeaders:
    """Return the headers that say who asks."""

    # Cookies of other programs on this machine come too, and may be written in any way.
    cookies = {_text(name): _text(value) for name, value in request.received_cookies.items()}
    return RequestHeaders(
        authorization=_header(request, b"authorization"),
        cookies=cookies,
        host=_header(request, b"host"),
        origin=_header(request, b"origin"),
        requested_with=_header(request, b"x-requested-with"),
    )


def _header(request: Request, name: bytes) -> str | None:
    value = request.getHeader(name)
    return None if value is None else _text(value)


def _text(value: bytes) -> str:
    """Return what may be no UTF-8 as a text that is then like no other."""
    return value.strip().decode("utf-8", "surrogateescape")


def asked(
    request: Request, method: str, path: str, names: dict[str, str], visitor: Visitor
) -> Asked:
    """Return a request that was let in, as a value."""
    content = request.content
    address = f"http {request.getClientAddress().host}"
    return Asked(
        method=method,
        path=path,
        names=names,
        query=_query(request.uri.partition(b"?")[2].decode("ascii", "replace")),
        body=content.read() if content is not None else b"",
        content_type=(_header(request, b"content-type") or "").partition(";")[0].strip().lower(),
        session=visitor.session,
        by=f"{visitor.name} ({address})" if visitor.name else address,
        is_encrypted=(_header(request, b"x-forwarded-proto") or "").lower() == "https",
    )


def _query(text: str) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        if name in query:
            raise Refusal(400, f"{name[:40]!r} is given twice")
        query[name] = value
    return query
