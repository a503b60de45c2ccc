"""Routes are declared beside the methods that answer them, with the types of what comes and goes::

    @get("/api/tasks/{task}/explain", "Why a task is, or is not, dialing now")
    async def explain(self, asked: Asked, task: str) -> TaskExplanation: ...

A handler takes what its parameters name: ``asked`` is the request, ``query`` and ``body`` are
structs that are read and checked before it is called, and every other name is a part of the path.
What it returns is sent as JSON, unless it is an Answer or Streamed.  The OpenAPI description is
made from the same types.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, get_type_hints
from urllib.parse import unquote

import msgspec
from attrs import evolve, field, frozen
from twisted.web.http import Request

from ctidialer.web.answers import JSON, Answer, Asked, Refusal, json_answer
from ctidialer.web.typed import body_of, query_of

_NOT_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DECLARED = "declared_route"

EVENTS = "text/event-stream"

Handler = Callable[..., Awaitable[object]]
Method = TypeVar("Method", bound=Handler)


@frozen
class Streamed:
    """An answer without an end: ``begin`` is called with the request, and writes to it."""

    begin: Callable[[Request], None]


@frozen
class Route:
    """One method on one path.

    ``path`` has names in braces.  ``is_open``: no token is needed.  ``for_readers``: it changes
    something, but who may only read may ask it too.  ``if_unknown``: a method of the
    same object that answers requests without a token, in place of an error.  ``answer`` is the type
    of the JSON answer if the handler's annotation does not show it.  ``takes_form``: the body may
    be a form too.  ``others`` are further statuses and their meaning.
    """

    method: str
    path: str
    summary: str
    answer: type | None = None
    others: Mapping[int, str] = field(factory=dict)
    content_type: str = JSON
    takes_form: bool = False
    is_open: bool = False
    for_readers: bool = False
    if_unknown: Callable[..., Answer] | None = None
    handler: Handler | None = None
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    wants: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the request changes something."""
        return self.method != "GET"

    @property
    def is_order(self) -> bool:
        """Whether only an operator may ask it."""
        return self.changes and not self.is_open and not self.for_readers

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """Return the named parts if these parts of a path fit this route, else None."""
        own = self.path.split("/")[1:]
        if len(own) != len(parts):
            return None
        names = {}
        for mine, given in zip(own, parts, strict=True):
            if mine.startswith("{"):
                names[mine[1:-1]] = given
            elif mine != given:
                return None
        return names

    async def answered(self, asked: Asked) -> Answer | Streamed:
        """Read what the handler wants, and return what it answers; raises Refusal."""
        assert self.handler is not None
        given: dict[str, object] = {"asked": asked, **asked.names}
        if self.query is not None:
            given["query"] = query_of(self.query, asked.query)
        if self.body is not None:
            given["body"] = body_of(self.body, asked)
        answer = await self.handler(**{name: given[name] for name in self.wants})
        return answer if isinstance(answer, Answer | Streamed) else json_answer(answer)


def get(path: str, summary: str, **more: Any) -> Callable[[Method], Method]:
    """Declare that a method answers GET (and HEAD) on ``path``; see Route."""
    return _declare(Route("GET", path, summary, **more))


def post(path: str, summary: str, **more: Any) -> Callable[[Method], Method]:
    """Declare that a method answers POST on ``path``; see Route."""
    return _declare(Route("POST", path, summary, **more))


def delete(path: str, summary: str, **more: Any) -> Callable[[Method], Method]:
    """Declare that a method answers DELETE on ``path``; see Route."""
    return _declare(Route("DELETE", path, summary, **more))


def routes_of(*owners: object) -> list[Route]:
    """Return the routes that the methods of these objects declare, in the order of the code."""
    return [route for owner in owners for route in _routes_of(owner)]


def _declare(route: Route) -> Callable[[Method], Method]:
    def declared(method: Method) -> Method:
        setattr(method, _DECLARED, route)
        return method

    return declared


def _routes_of(owner: object) -> Iterator[Route]:
    for name, function in vars(type(owner)).items():
        route = getattr(function, _DECLARED, None)
        if isinstance(route, Route):
            yield _bound(route, owner, getattr(owner, name))


def _bound(route: Route, owner: object, handler: Handler) -> Route:
    types = get_type_hints(handler)
    answer, if_unknown = types.get("return"), route.if_unknown
    is_raw = answer in (Answer, Streamed)
    return evolve(
        route,
        handler=handler,
        wants=tuple(inspect.signature(handler).parameters),
        query=types.get("query"),
        body=types.get("body"),
        answer=route.answer if is_raw else answer,
        if_unknown=None if if_unknown is None else partial(if_unknown, owner),
    )


class WebRoutes:
    """All routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route of a request, and the named parts of its path.

        ``path`` is percent-encoded, so that a task's name may hold a slash.  Raises Refusal 404 or
        405.
        """
        parts = [_decoded(part) for part in path.split("/")[1:]]
        allowed = []
        for route in self._routes:
            names = route.match(parts)
            if names is not None:
                if route.method == ("GET" if method == "HEAD" else method):
                    return route, names
                allowed.append(route.method)
        if allowed:
            both = ", ".join(sorted({*allowed, *(["HEAD"] if "GET" in allowed else [])}))
            raise Refusal(405, f"{method} is not possible here: {both}", (("Allow", both),))
        raise Refusal(404, "there is nothing here: /api/openapi.json lists what there is")


def _decoded(part: str) -> str:
    try:
        if not _NOT_ENCODED.search(part):
            return unquote(part, errors="strict")
    except UnicodeDecodeError:
        pass
    raise Refusal(400, "the path is no percent-encoded UTF-8")
