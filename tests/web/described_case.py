"""Answers are compared with what the OpenAPI description says of them."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from tests.web.web_case import Reply, WebTestCase

EVERYWHERE = (400, 401)
"""Of these ``default`` tells alone: any request may be written wrongly, or lack a token."""


class DescribedCase(WebTestCase):
    """Knows whether an answer is as described."""

    def assert_described(
        self, document: dict[str, Any], operation: dict[str, Any], reply: Reply, what: str
    ) -> None:
        responses = operation["responses"]
        if reply.status not in EVERYWHERE:
            self.assertIn(str(reply.status), responses, what)
        said = responses.get(str(reply.status), responses["default"])
        if reply.status >= 400:
            self.assertNotEqual(reply.body, b"", what)
        if not reply.body:
            self.assertNotIn("content", said, what)
            return
        content = said["content"]
        media = reply.headers["content-type"].partition(";")[0]
        self.assertIn(media if media in content else "*/*", content, what)
        schema = content.get(media, {}).get("schema")
        if schema:
            self.assert_valid(document, schema["$ref"].rpartition("/")[2], reply.json)

    def assert_valid(self, document: dict[str, Any], name: str, value: object) -> None:
        """Check a value against a schema in which nothing unnamed may stand."""
        schemas = {
            key: {**one, "additionalProperties": False} if is_closed(one) else one
            for key, one in document["components"]["schemas"].items()
        }
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        faults = [
            f"{one.json_path}: {one.message}"
            for one in Draft202012Validator(schema).iter_errors(value)
        ]
        self.assertEqual((name, faults), (name, []))


def is_closed(schema: dict[str, Any]) -> bool:
    """Say whether a schema names all members."""
    return "properties" in schema and "additionalProperties" not in schema
