"""The OpenAPI description agrees with what is answered."""

from __future__ import annotations

from pathlib import Path
from re import findall
from typing import Any
from urllib.parse import quote

import msgspec
from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.pacing import PacingStatus
from ctidialer.rules.prediction.keeping import encode
from ctidialer.rules.prediction.pacer import Learnt
from tests.support.node import HOST
from tests.web.described_case import DescribedCase

DOCS = Path(__file__).parents[2] / "docs" / "http.rst"
TASK = quote("t/任务", safe="")
ASKED: tuple[tuple[str, str, str, dict[str, Any] | None], ...] = (
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
    ("GET", "/api/tasks/{task}/pacing", f"/api/tasks/{TASK}/pacing", None),
    ("GET", "/api/tasks/{task}/pacing", "/api/tasks/broken/pacing", None),
    ("GET", "/api/tasks/{task}/pacing", "/api/tasks/none/pacing", None),
    ("GET", "/api/tasks/{task}/forecast", f"/api/tasks/{TASK}/forecast?hours=8", None),
    ("GET", "/api/tasks/{task}/forecast", f"/api/tasks/{TASK}/forecast?agents=5", None),
    ("GET", "/api/tasks/{task}/forecast", "/api/tasks/none/forecast", None),
    ("POST", "/api/tasks/{task}/pause", f"/api/tasks/{TASK}/pause", {"why": "lunch"}),
    ("POST", "/api/tasks/{task}/resume", f"/api/tasks/{TASK}/resume", None),
    ("GET", "/api/tasks/{task}/waiting", f"/api/tasks/{TASK}/waiting?reason=hours", None),
    ("GET", "/api/tasks/{task}/waiting", "/api/tasks/none/waiting", None),
    ("POST", "/api/tasks/{task}/cancel", f"/api/tasks/{TASK}/cancel", {"dry_run": True}),
    ("POST", "/api/tasks/{task}/requeue", f"/api/tasks/{TASK}/requeue", {"waiting": True}),
    ("POST", "/api/tasks/{task}/requeue", f"/api/tasks/{TASK}/requeue", {"outcomes": ["busy"]}),
    ("POST", "/api/tasks/{task}/requeue", f"/api/tasks/{TASK}/requeue", {}),
    ("POST", "/api/tasks/{task}/requeue", "/api/tasks/broken/requeue", {"waiting": True}),
    ("GET", "/api/schedules/{config}/waiting", "/api/schedules/callback/waiting", None),
    ("POST", "/api/schedules/{config}/cancel", "/api/schedules/callback/cancel", None),
    ("GET", "/api/dnc/{key}/{number}", "/api/dnc/optouts/1001?region=US", None),
    ("GET", "/api/dnc/{key}/{number}", "/api/dnc/none/1001", None),
    ("POST", "/api/dnc/{key}/add", "/api/dnc/optouts/add", {"numbers": ["1001"]}),
    ("POST", "/api/dnc/{key}/add", "/api/dnc/optouts/add", {"numbers": ["1"], "reason": "x"}),
    ("POST", "/api/dnc/{key}/remove", "/api/dnc/optouts/remove", {"numbers": ["1001"]}),
    ("GET", "/api/schedules", "/api/schedules", None),
    ("GET", "/api/schedules/{config}/explain", "/api/schedules/callback/explain", None),
    ("GET", "/api/schedules/{config}/explain", "/api/schedules/none/explain", None),
    ("POST", "/api/schedules/{config}/pause", "/api/schedules/callback/pause", {"why": "lunch"}),
    ("POST", "/api/schedules/{config}/resume", "/api/schedules/callback/resume", None),
    ("POST", "/api/schedules/{config}/pause", "/api/schedules/none/pause", None),
    ("POST", "/api/lines/{line}/off", "/api/lines/l/off", {"seconds": 60, "all_hosts": True}),
    ("POST", "/api/lines/{line}/off", "/api/lines/none/off", {}),
    ("GET", "/api/lines", "/api/lines", None),
    ("POST", "/api/lines/{line}/try", "/api/lines/l/try", {}),
    ("POST", "/api/lines/{line}/on", "/api/lines/l/on", {"why": "mended"}),
    ("GET", "/api/records", "/api/records", None),
    ("GET", "/api/records", "/api/records?limit=x", None),
    ("GET", "/api/check", "/api/check", None),
    ("GET", "/api/report", "/api/report?since=week&by=hour", None),
    ("GET", "/api/report", "/api/report?since=soon", None),
    ("POST", "/api/drain", "/api/drain", {"why": "upgrade"}),
    ("GET", "/readyz", "/readyz", None),
    ("DELETE", "/api/drain", "/api/drain", None),
    ("GET", "/api/hosts", "/api/hosts", None),
    ("GET", "/api/tasks/{task}", "/api/tasks/t", None),
    ("POST", "/api/tasks/{task}/rates", "/api/tasks/t/rates", {"limit": 3}),
    ("POST", "/api/tasks/{task}/rates", "/api/tasks/broken/rates", {"limit": 3}),
    ("GET", "/api/history", "/api/history?span=today", None),
    ("GET", "/static/{file}", "/static/dashboard.js", None),
    ("GET", "/", "/", None),
    ("POST", "/login", "/login", {"token": "wrong"}),
    ("POST", "/logout", "/logout", None),
)
PACED = msgspec.json.encode(PacingStatus("predictive", 0.0, group="g", risk=0.01))
STREAM = ("get", "/api/events")
PARTS = {"{task}": TASK, "{config}": "callback", "{key}": "optouts", "{number}": "1001"}
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
        await self.put_task("t/任务", dnc=["optouts"])
        await self.put("cti_queue_dialer_task@template", {"broken": "{"})
        paced = {"status:fs1": PACED, "learnt": encode(Learnt())}
        await self.put(keys.pacing("template", "t/任务"), paced)
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
        for part, one in PARTS.items():
            path = path.replace(part, one)
        for text in VALUES:
            reply = await self.ask("GET", f"{path}?{name}={quote(text)}")
            value = int(text) if schema["type"] == "integer" and text.isdigit() else text
            # A forecast of a task without agents cannot be made with agents.
            wanted = (200, 409) if validator.is_valid(value) else (400,)
            self.assertIn(reply.status, wanted, f"{path}?{name}={text}: {reply.body!r}")
        twice = await self.ask("GET", f"{path}?{name}=1&{name}=1")
        self.assertEqual(twice.status, 400)

    async def test_a_body_has_no_other_keys(self) -> None:
        document = await self.begin()
        schemas = document["components"]["schemas"]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if "requestBody" not in operation:
                    continue
                for content in operation["requestBody"]["content"].values():
                    name = content["schema"]["$ref"].rpartition("/")[2]
                    self.assertIs(schemas[name]["additionalProperties"], False, name)
                reply = await self.ask(method.upper(), quote(path), {"wy": 1})
                self.assertEqual(reply.status, 400, path)
                self.assertIn("there is no key 'wy'", reply.json["error"]["message"])

    async def test_what_is_streamed_is_as_described(self) -> None:
        document = await self.begin()
        events = await self.listen_to()
        await self.put_numbers(["1002"])

        async def is_told() -> bool:
            return bool(events.of("status")) and bool(events.of("record"))

        await self.until("told", is_told)
        status = events.of("status")[-1]
        self.assert_valid(document, "SampleEntry", status.pop("sample"))
        self.assertIsInstance(status.pop("queued"), int | None)
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
