"""Which request is answered by what: one table, from which the OpenAPI description is made too."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import unquote

from attrs import field, frozen

from ctidialer.web.answers import JSON, Answer, Asked, Refusal

_NOT_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")

Handler = Callable[[Asked], Awaitable[Answer]]


@frozen
class Parameter:
    """One value of the query, for people: its name, its JSON type, what it means."""

    name: str
    kind: str
    text: str


@frozen
class Route:
    """One method on one path.

    ``path`` has names in braces.  ``is_open``: asked without a token; ``if_unknown`` answers who
    has none, in place of an error.  ``answer`` and ``body`` name schemas of the OpenAPI
    description, empty = none; ``takes_form``: the body may be a form, too; ``others`` are further
    statuses and their meaning.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: str = ""
    body: str = ""
    query: tuple[Parameter, ...] = ()
    others: Mapping[int, str] = field(factory=dict)
    content_type: str = JSON
    takes_form: bool = False
    is_open: bool = False
    if_unknown: Callable[[], Answer] | None = None

    @property
    def changes(self) -> bool:
        """Whether the request changes something."""
        return self.method != "GET"

    @property
    def parts(self) -> list[str]:
        """The path in its parts."""
        return self.path.split("/")[1:]

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """Return the named parts where these parts of a path are this route's, else None."""
        own = self.parts
        if len(own) != len(parts):
            return None
        names = {}
        for mine, given in zip(own, parts, strict=True):
            if mine.startswith("{"):
                names[mine[1:-1]] = given
            elif mine != given:
                return None
        return names


class Routes:
    """All routes."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes

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
