"""The OpenAPI 3.1 description of the API, made of its own table and documents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ctidialer.contract.problems import Told
from ctidialer.contract.said import Said
from ctidialer.version import program_version
from ctidialer.web import documents
from ctidialer.web.answers import FORM, JSON, Answer, json_answer
from ctidialer.web.routes import Route, get, routes_of
from ctidialer.web.typed import has_required, meaning_of, schema_of

REF = "#/components/schemas/{name}"
NAMED = re.compile(r"\{(\w+)\}")
RECORD: dict[str, object] = {
    "type": "object",
    "description": "One record, as it stands in the stream (docs/redis-contract.rst).",
    "required": ["id", "kind", "outcome", "entry", "attempts", "taken_at", "ended_at", "host"],
}


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the description of all routes that have a summary."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.summary:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ctidialer",
            "version": program_version(),
            "description": "One daemon beside one FreeSWITCH.  Times are unix seconds.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "ctidialer_session"},
            },
        },
    }


class Description:
    """Answers with the description of these routes, and its own."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._document = json_answer(describe([*routes, *routes_of(self)]))

    @get("/api/openapi.json", "This description")
    async def page(self) -> Answer:
        """Return the description."""
        return self._document


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": route.summary, "responses": _responses(route)}
    parameters = [_in_path(name) for name in NAMED.findall(route.path)]
    if route.query is not None:
        parameters += [
            {
                "name": one.name,
                "in": "query",
                "description": meaning_of(one.type),
                "schema": schema_of(one.type),
            }
            for one in msgspec.structs.fields(route.query)
        ]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        kinds = (JSON, FORM) if route.takes_form else (JSON,)
        content = {kind: {"schema": _ref(route.body.__name__)} for kind in kinds}
        operation["requestBody"] = {"required": has_required(route.body), "content": content}
    operation["security"] = [] if route.is_open else [{"token": []}, {"session": []}]
    return operation


def _responses(route: Route) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    if 204 not in route.others:
        schema = _ref(route.answer.__name__) if route.answer else {}
        content_type = route.content_type.partition(";")[0]
        content = {content_type: {"schema": schema} if route.answer else {}}
        responses["200"] = {"description": "so it is", "content": content}
    orders = {403: "the token may only read, or a page of another site asks"}
    for status, text in {**(orders if route.is_order else {}), **route.others}.items():
        responses[str(status)] = {"description": text}
        if status >= 400:
            is_readiness = (status, route.answer) == (503, documents.ReadyAnswer)
            name = "ReadyAnswer" if is_readiness else "ErrorAnswer"
            responses[str(status)]["content"] = {JSON: {"schema": _ref(name)}}
    responses["default"] = {
        "description": "an error; the message says what to do",
        "content": {JSON: {"schema": _ref("ErrorAnswer")}},
    }
    return responses


def _in_path(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": "percent-encoded, a slash too",
        "schema": {"type": "string"},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(name=name)}


def _schemas(routes: Sequence[Route]) -> Mapping[str, Any]:
    """Return the schemas of all that the routes take and give, and of what they hold."""
    types = [one for route in routes for one in (route.answer, route.body) if one is not None]
    types += [documents.ErrorAnswer, documents.SampleEntry]
    _, schemas = msgspec.json.schema_components(dict.fromkeys(types), ref_template=REF)
    _without_private_fields(schemas)
    schemas["RecordPage"]["properties"]["records"]["items"] = _ref("Record")
    return {**schemas, "Record": RECORD}


def _without_private_fields(schemas: dict[str, Any]) -> None:
    """Leave out what is never written: of what a fault's sentence is made in the daemon."""
    for schema in schemas.values():
        for name in [one for one in schema.get("properties", ()) if one.startswith("_")]:
            del schema["properties"][name]
    for name in (Told.__name__, Said.__name__):
        others = {other: schema for other, schema in schemas.items() if other != name}
        if REF.format(name=name) not in str(others):
            schemas.pop(name, None)
