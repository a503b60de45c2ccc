"""Sphinx extension: a line break between two Chinese characters is no blank.

In the source a long sentence is wrapped; a browser would show a blank at each break.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

CHINESE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f\u2018-\u201f\u2026"
BREAK = re.compile(f"(?<=[{CHINESE}])\n(?=[{CHINESE}])")


def join_lines(text: str) -> str:
    """Return the text without the line breaks between Chinese characters."""
    return BREAK.sub("", text)


def _join_all(_: Sphinx, document: nodes.document) -> None:
    for node in list(document.findall(nodes.Text)):
        joined = join_lines(str(node))
        if joined != str(node) and not isinstance(node.parent, nodes.literal_block):
            node.parent.replace(node, nodes.Text(joined))


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx join the lines of each page after it was read."""
    app.connect("doctree-read", _join_all)
    return {"version": "1", "parallel_read_safe": True}
