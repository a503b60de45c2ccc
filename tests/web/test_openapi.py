"""The OpenAPI description agrees with what is answered."""

from __future__ import annotations

from pathlib import Path
from re import findall
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from tests.support.node import HOST
from tests.web.described_case import DescribedCase

DOCS = Path(__file__).parents[2] / "docs" / "http.rst"
TASK = quote("t/任务", safe="")
ASKED = (
    ("GET", "/healthz", "/healthz", None),
    ("GET", "/readyz", "/readyz", None),
    ("GET", "/metrics", "/metrics", None),
    ("GET", "/api/openapi.json", "/api/openapi.json", None),
    ("GET", "/api/status", "/api/status", None),
    ("GET", "/api/nodes", "/api/nodes", None),
    ("GET", "/api/tasks", "/api/tasks", None),
    ("GET", "/api/tasks/{task}/explain", f"/api/tasks/{TASK}/explain", None),
    ("GET", "/api/tasks/{task}/explain", "/api/tasks/broken/explain", None),
    ("GET", "/api/tasks/{task}/explain", "/api/tasks/none/explain", None),
    ("POST", "/api/tasks/{task}/pause", f"/api/tasks/{TASK}/pause", {"why": "lunch"}),
    ("POST", "/api/tasks/{task}/resume", f"/api/tasks/{TASK}/resume", None),
    ("GET", "/api/schedules", "/api/schedules", None),
    ("GET", "/api/schedules/{config}/explain", "/api/schedules/callback/explain", None),
    ("GET", "/api/schedules/{config}/explain", "/api/schedules/none/explain", None),
    ("POST", "/api/schedules/{config}/pause", "/api/schedules/callback/pause", {"why": "lunch"}),
    ("POST", "/api/schedules/{config}/resume", "/api/schedules/callback/resume", None),
    ("POST", "/api/schedules/{config}/pause", "/api/schedules/none/pause", None),
    ("GET", "/api/lines", "/api/lines", None),
    ("GET", "/api/records", "/api/records", None),
    ("GET", "/api/records", "/api/records?limit=x", None),
    ("GET", "/api/check", "/api/check", None),
    ("GET", "/api/report", "/api/report?since=week&by=hour", None),
    ("GET", "/api/report", "/api/report?since=soon", None),
    ("POST", "/api/drain", "/api/drain", {"why": "upgrade"}),
    ("GET", "/readyz", "/readyz", None),
    ("DELETE", "/api/drain", "/api/drain", None),
    ("GET", "/api/history", "/api/history", None),
    ("GET", "/static/{file}", "/static/dashboard.js", None),
    ("GET", "/", "/", None),
    ("POST", "/login", "/login", {"token": "wrong"}),
    ("POST", "/logout", "/logout", None),
)
STREAM = ("get", "/api/events")
VALUES = (
    "0",
    "1",
    "1001",
    "10001",
    "9" * 30,
    "-1",
    "1.5",
    "null",
    "true",
    "busy",
    "1-0",
    "x",
    "任",
)


class DescriptionTests(DescribedCase):
    async def begin(self) -> dict[str, Any]:
        await self.usual_tables()
        await self.put_task("t/任务")
        await self.put("cti_queue_dialer_task@template", {"broken": "{"})
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"callback": "{"})
        self.start_web()

        async def is_ready() -> bool:
            return (await self.ask("GET", "/readyz", token=None)).status == 200

        await self.until("ready", is_ready)
        await self.put_numbers(["1001", "no number"])
        await self.records_of(2)
        document = (await self.ask("GET", "/api/openapi.json")).json
        assert isinstance(document, dict)
        return document

    async def test_every_answer_is_as_described(self) -> None:
        document = await self.begin()
        for method, path, given, body in ASKED:
            reply = await self.ask(method, given, body)
            operation = document["paths"][path][method.lower()]
            self.assert_described(document, operation, reply, f"{method} {given}")
        asked = {(method.lower(), path) for method, path, _, _ in ASKED} | {STREAM}
        described = {
            (method, path) for path, methods in document["paths"].items() for method in methods
        }
        self.assertEqual(asked, described)

    async def test_each_parameter_is_held_to_its_schema(self) -> None:
        document = await self.begin()
        for path, methods in document["paths"].items():
            for parameter in methods.get("get", {}).get("parameters", ()):
                if parameter["in"] == "query":
                    await self.assert_held(path, parameter["name"], parameter["schema"])

    async def assert_held(self, path: str, name: str, schema: dict[str, Any]) -> None:
        """Check that values of the schema are taken, and others refused; one stands only once."""
        validator = Draft202012Validator(schema)
        for text in VALUES:
            reply = await self.ask("GET", f"{path}?{name}={quote(text)}")
            value = int(text) if schema["type"] == "integer" and text.isdigit() else text
            wanted = 200 if validator.is_valid(value) else 400
            self.assertEqual(reply.status, wanted, f"{path}?{name}={text}: {reply.body!r}")
        twice = await self.ask("GET", f"{path}?{name}=1&{name}=1")
        self.assertEqual(twice.status, 400)

    async def test_what_is_streamed_is_as_described(self) -> None:
        document = await self.begin()
        events = await self.listen_to()
        await self.put_numbers(["1002"])

        async def is_told() -> bool:
            return bool(events.of("status")) and bool(events.of("record"))

        await self.until("told", is_told)
        status = events.of("status")[-1]
        self.assert_valid(document, "SampleEntry", status.pop("sample"))
        self.assert_valid(document, "NodeStatus", status)
        self.assert_valid(document, "Record", events.of("record")[0])

    async def test_each_reference_leads_somewhere(self) -> None:
        document = await self.begin()
        text = str(document)
        for name, schema in document["components"]["schemas"].items():
            Draft202012Validator.check_schema(schema)
            self.assertIn(f"#/components/schemas/{name}'", text, name)
        self.assertEqual(document["openapi"], "3.1.0")


class PageTests(SynchronousTestCase):
    def test_the_page_has_every_route(self) -> None:
        listed = findall(r"(?m)^   \* - ``([A-Z]+ /\S*)``$", DOCS.read_text("utf-8"))
        asked = {f"{method} {path}" for method, path, _, _ in ASKED} | {"GET /api/events"}
        self.assertEqual(sorted(listed), sorted(asked))
