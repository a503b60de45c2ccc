"""How Sphinx builds the documentation."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

_root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_root))  # the extensions below are ours, and stand in tools/
_setup = configparser.ConfigParser()
_setup.read(_root / "setup.cfg", encoding="utf-8")

project = _setup["metadata"]["name"]
release = _setup["metadata"]["version"]
author = "The ctidialer authors"
project_copyright = f"2026, {author}"
extensions = [
    "tools.chinese_lines",
    "tools.commands_page",
    "tools.reasons_page",
    "tools.rule_files_page",
    "tools.settings_page",
    "tools.states_page",
]
exclude_patterns = ["_build"]
html_theme = "furo"  # readable on a phone and in the dark
html_title = f"{project} {release}"
html_copy_source = False
nitpicky = True
