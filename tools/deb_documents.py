"""What a Debian package of ctidialer has to say about itself: licences, changes, manual page.

Everything is made from what the project has already, so that none of it grows old: the licences
from the metadata of the installed packages, the manual page and the shells' completion from the
commands themselves.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import Parser
from email.utils import format_datetime
from pathlib import Path

from click.shell_completion import get_completion_class

from ctidialer.cli import main
from ctidialer.cli.completion import PROGRAM, SHELLS, VARIABLE
from tools.check_wheel import ROOT
from tools.commands_page import commands

COMPLETION_PLACES = {
    "bash": "usr/share/bash-completion/completions/ctidialer",
    "zsh": "usr/share/zsh/vendor-completions/_ctidialer",
    "fish": "usr/share/fish/vendor_completions.d/ctidialer.fish",
}
MAX_WORDS_OF_A_LICENSE = 8
"""A field License of more words than these holds the text itself."""

SPELLINGS = {
    "MIT License": "MIT",
    "Apache License, Version 2.0": "Apache-2.0",
    "http://www.apache.org/licenses/LICENSE-2.0": "Apache-2.0",
}
LICENSE_FILE = re.compile("(?i)licen[cs]e|copying|notice|copyright")
HOLDER = re.compile(r"(?mi)^\s*(copyright\s+(?:\(c\)|©|\d{4}|by)[\s\d,–-]*\S.*)$")


@dataclass(frozen=True)
class Package:
    """What the package is called, who made it, and when (unix seconds)."""

    version: str
    architecture: str
    maintainer: str
    moment: int


@dataclass(frozen=True)
class Bundled:
    """A Python package that is brought along: the folder with its metadata, and those."""

    folder: Path
    metadata: Message

    @property
    def name(self) -> str:
        """Return its name, as its makers write it."""
        return str(self.metadata["Name"])


def bundled(library: Path) -> list[Bundled]:
    """Return the packages that are installed in ``library``, in order."""
    folders = sorted(library.glob("*.dist-info"), key=lambda folder: folder.name.lower())
    read = Parser().parsestr
    return [Bundled(one, read((one / "METADATA").read_text("utf-8"))) for one in folders]


def write_documents(root: Path, package: Package, library: Path) -> None:
    """Write below ``root`` what people and shells read; ``library`` has the Python packages."""
    folder = root / "usr/share/doc/ctidialer"
    folder.mkdir(parents=True, exist_ok=True)
    found = bundled(library)
    place = library.relative_to(root).as_posix()
    (folder / "copyright").write_text(copyright_text(found, place), "utf-8")
    write_gzip(folder / "changelog.gz", (ROOT / "CHANGELOG.rst").read_text("utf-8"))
    write_gzip(folder / "changelog.Debian.gz", changelog(package))
    write_gzip(root / "usr/share/man/man1/ctidialer.1.gz", manual_page(package))
    for shell in SHELLS:
        target = root / COMPLETION_PLACES[shell]
        target.parent.mkdir(parents=True)
        target.write_text(completion_script(shell), "utf-8")


def write_gzip(target: Path, text: str) -> None:
    """Write a text as Debian wants it: packed as much as can be, without name and time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def changelog(package: Package) -> str:
    """Return the package's own changes: it has none besides the program's."""
    when = format_datetime(datetime.fromtimestamp(package.moment, UTC))
    return (
        f"ctidialer ({package.version}) unstable; urgency=medium\n\n"
        "  * Built from the source of this version; changelog.gz has its changes.\n\n"
        f" -- {package.maintainer}  {when}\n"
    )


def completion_script(shell: str) -> str:
    """Return what ``ctidialer completion SHELL`` prints."""
    kind = get_completion_class(shell)
    assert kind is not None  # click knows them all
    return f"{kind(main, {}, PROGRAM, VARIABLE).source()}\n"


def copyright_text(found: list[Bundled], place: str) -> str:
    """Return the file copyright (DEP 5); ``found`` are the packages that stand in ``place``."""
    head = (ROOT / "etc/debian/copyright").read_text("utf-8").strip()
    ours = (ROOT / "LICENSE").read_text("utf-8").strip().splitlines()
    holder = next(line for line in ours if line.startswith("Copyright"))
    theirs = [one for one in found if one.name != "ctidialer"]
    text = "\n".join(f" {line}" if line else " ." for line in ours)
    parts = [head, _paragraph("*", holder, "MIT")]
    for one in theirs:
        files = f"{place}/{one.folder.name}/*"
        said = f"{one.name} {one.metadata['Version']}: all files that this folder is about."
        parts.append(_paragraph(files, holders(one), license_of(one), said))
    parts.append(f"License: MIT\n{text}")
    where = "The text stands in the .dist-info folder of each package."
    others = sorted({license_of(one) for one in theirs} - {"MIT"})
    parts += [f"License: {name}\n {where}" for name in others]
    return "\n\n".join(parts) + "\n"


def _paragraph(files: str, holder: str, name: str, comment: str = "") -> str:
    lines = [f"Files: {files}", f"Copyright: {holder}", f"License: {name}"]
    return "\n".join([*lines, *([f"Comment: {comment}"] if comment else [])])


def holders(one: Bundled) -> str:
    """Return who holds the copyright of a package, as its licence files say, else its authors."""
    found: dict[str, None] = {}  # in order, each once
    for path in sorted(one.folder.rglob("*")):
        if path.is_file() and LICENSE_FILE.search(path.name):
            lines = HOLDER.findall(path.read_text("utf-8", "replace"))
            found.update(dict.fromkeys(" ".join(line.split()) for line in lines))
    return "\n ".join(found) or str(one.metadata.get("Author") or f"The authors of {one.name}")


def license_of(one: Bundled) -> str:
    """Return the licence that the metadata of a package name, in one word or expression."""
    told = str(one.metadata.get("License-Expression") or one.metadata.get("License") or "")
    if not told or len(told.split()) > MAX_WORDS_OF_A_LICENSE:
        classes = [str(c) for c in one.metadata.get_all("Classifier", [])]
        names = [c.rpartition(" :: ")[2] for c in classes if c.startswith("License ::")]
        told = names[0] if names else f"that of {one.name}"
    return SPELLINGS.get(told, told)


def manual_page(package: Package) -> str:
    """Return the manual page in section 1: what the command is, and what each part of it does."""
    day = datetime.fromtimestamp(package.moment, UTC).strftime("%Y-%m-%d")
    lines = [
        f'.TH CTIDIALER 1 "{day}" "ctidialer {package.version.partition("-")[0]}"',
        ".SH NAME",
        r"ctidialer \- look after an outbound dialer for FreeSWITCH",
        ".SH SYNOPSIS",
        r".B ctidialer",
        r"[\fIOPTION\fR]... \fICOMMAND\fR [\fIARGUMENT\fR]...",
        ".SH DESCRIPTION",
        _roff(f"{(main.help or '').partition(chr(8))[0].strip()}"),
        ".PP",
        _roff("ctidialer COMMAND --help shows the options of a command."),
        ".SH COMMANDS",
    ]
    for name, command in sorted(commands().items()):
        lines += [".TP", rf".B {_roff(name)}", _roff(command.get_short_help_str(limit=200))]
    lines += [
        ".SH FILES",
        ".TP",
        ".I /etc/ctidialer/ctidialer.toml",
        "The settings of the daemon; the command reads them, too.",
        ".TP",
        ".I /usr/lib/ctidialer/bin/twistd",
        "Runs the daemon; the unit ctidialer.service of systemd calls it.",
        ".SH SEE ALSO",
        ".BR systemctl (1)",
    ]
    return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    """Escape what roff would take for a command."""
    escaped = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
