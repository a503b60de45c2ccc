"""The Debian package, as far as it can be seen without a root of its own.

``make check-deb`` installs it; here it is staged without the Python packages that pip would fetch.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
from email.parser import HeaderParser
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tools.build_deb import CONFFILES, SCRIPTS, SOURCE, finish_files, pack, stage_system
from tools.build_deb import regular_files as files_below
from tools.build_deb import write_control as control_below
from tools.deb_documents import Bundled, Package, bundled, license_of, write_documents

MOMENT = 1_700_000_000
PACKAGE = Package("0.1.0-1+py3.11", "amd64", "Somebody <somebody@example.com>", MOMENT)
LIBRARY = "usr/lib/ctidialer/lib/python3.11/site-packages"
METADATA = """\
Metadata-Version: 2.4
Name: borrowed
Version: 1.5
License-Expression: BSD-3-Clause
"""
INSTALLED = {
    "etc/ctidialer/ctidialer.toml": 0o640,
    "etc/logrotate.d/ctidialer": 0o644,
    "lib/systemd/system/ctidialer.service": 0o644,
    "usr/share/bash-completion/completions/ctidialer": 0o644,
    "usr/share/doc/ctidialer/changelog.Debian.gz": 0o644,
    "usr/share/doc/ctidialer/changelog.gz": 0o644,
    "usr/share/doc/ctidialer/copyright": 0o644,
    "usr/share/fish/vendor_completions.d/ctidialer.fish": 0o644,
    "usr/share/lintian/overrides/ctidialer": 0o644,
    "usr/share/man/man1/ctidialer.1.gz": 0o644,
    "usr/share/zsh/vendor-completions/_ctidialer": 0o644,
}


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class ScriptTests(SynchronousTestCase):
    """postinst, prerm and postrm."""

    def test_a_shell_can_read_them(self) -> None:
        for name in SCRIPTS:
            done = subprocess.run(["sh", "-n", str(SOURCE / name)], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)

    def test_the_first_failure_ends_them(self) -> None:
        for name in SCRIPTS:
            lines = (SOURCE / name).read_text("utf-8").splitlines()
            code = [line for line in lines if line and not line.startswith("#")]
            self.assertEqual((lines[0], code[0]), ("#!/bin/sh", "set -e"), name)

    def test_they_refuse_what_dpkg_never_says(self) -> None:
        for name in SCRIPTS:
            done = subprocess.run(
                ["sh", str(SOURCE / name), "nonsense"], capture_output=True, text=True
            )
            said = f"{name} called with an unknown argument: nonsense\n"
            self.assertEqual((done.returncode, done.stderr), (1, said))

    def test_shellcheck_finds_nothing(self) -> None:
        if shutil.which("shellcheck") is None:
            raise SkipTest("shellcheck is not on this machine")
        done = subprocess.run(
            ["shellcheck", *(str(SOURCE / name) for name in SCRIPTS)],
            capture_output=True,
            text=True,
        )
        self.assertEqual((done.returncode, done.stdout), (0, ""))


class StagedCase(SynchronousTestCase):
    """A package that is staged, with one Python package that it brings along."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp()).absolute()
        self.library = self.root / LIBRARY
        folder = self.library / "borrowed-1.5.dist-info"
        (folder / "licenses").mkdir(parents=True)
        (folder / "METADATA").write_text(METADATA)
        (folder / "licenses/LICENSE").write_text("Copyright (c) 2014\nSomebody Else\n\nAll …\n")
        stage_system(self.root)
        write_documents(self.root, PACKAGE, self.library)

    def read(self, name: str) -> str:
        path = self.root / name
        if path.suffix == ".gz":
            return gzip.decompress(path.read_bytes()).decode()
        return path.read_text("utf-8")


class FileTests(StagedCase):
    def test_what_is_installed_and_who_may_read_it(self) -> None:
        finish_files(self.root, MOMENT)
        outside = {
            path.relative_to(self.root).as_posix(): path.stat().st_mode & 0o7777
            for path in files_below(self.root)
            if not path.is_relative_to(self.library) and "examples" not in path.parts
        }
        self.assertEqual(outside, INSTALLED)
        self.assertEqual((self.root / "etc/ctidialer").stat().st_mode & 0o7777, 0o750)
        link = self.root / "usr/bin/ctidialer"
        self.assertEqual(str(link.readlink()), "../lib/ctidialer/bin/ctidialer")

    def test_everything_in_etc_is_a_conffile(self) -> None:
        there = {f"/{path.relative_to(self.root)}" for path in files_below(self.root)}
        self.assertEqual({name for name in there if name.startswith("/etc/")}, set(CONFFILES))

    def test_no_file_names_the_place_of_an_installation_by_hand(self) -> None:
        for path in files_below(self.root):
            if path.suffix not in (".gz", ".json") and not path.is_relative_to(self.library):
                self.assertNotIn("/opt/ctidialer", path.read_text("utf-8"), path.name)
        unit = self.read("lib/systemd/system/ctidialer.service")
        self.assertIn("\nExecStart=/usr/lib/ctidialer/bin/twistd --nodaemon ", unit)

    def test_the_examples_are_there(self) -> None:
        examples = self.root / "usr/share/doc/ctidialer/examples"
        for name in ("redis/users.acl", "freeswitch/ctidialer/event_socket.xml"):
            self.assertTrue((examples / name).is_file(), name)

    def test_what_it_says_of_itself(self) -> None:
        self.assertIn(
            "ctidialer (0.1.0-1+py3.11) unstable",
            self.read("usr/share/doc/ctidialer/changelog.Debian.gz"),
        )
        page = self.read("usr/share/man/man1/ctidialer.1.gz")
        self.assertIn("\n.B explain\nSay why a task is, or is not, dialing.\n", page)
        self.assertIn(
            "#compdef ctidialer", self.read("usr/share/zsh/vendor-completions/_ctidialer")
        )

    def test_whose_the_packages_are_that_it_brings(self) -> None:
        paragraphs = self.read("usr/share/doc/ctidialer/copyright").split("\n\n")
        wanted = [
            f"Files: {LIBRARY}/borrowed-1.5.dist-info/*",
            "Copyright: Copyright (c) 2014 Somebody Else",
            "License: BSD-3-Clause",
        ]
        self.assertIn(wanted, [paragraph.splitlines()[:3] for paragraph in paragraphs])
        texts = [one for one in paragraphs if one.startswith("License: BSD-3-Clause")]
        self.assertEqual(len(texts), 1)

    def test_a_licence_that_only_a_classifier_names(self) -> None:
        (one,) = bundled(self.library)
        del one.metadata["License-Expression"]
        one.metadata["License"] = "a whole text " * 20
        one.metadata["Classifier"] = "License :: OSI Approved :: MIT License"
        self.assertEqual(license_of(Bundled(one.folder, one.metadata)), "MIT")


class PackedTests(StagedCase):
    def setUp(self) -> None:
        if shutil.which("dpkg-deb") is None:
            raise SkipTest("dpkg-deb is not on this machine")
        super().setUp()
        control_below(self.root, PACKAGE, "3.11", "libc6 (>= 2.34)")
        self.place = self.root.parent
        self.packed = pack(self.root, PACKAGE, self.place / "first", 0)

    def test_the_control_file(self) -> None:
        fields = HeaderParser().parsestr(output("dpkg-deb", "--field", str(self.packed)))
        self.assertEqual(fields["Package"], "ctidialer")
        self.assertEqual(fields["Version"], PACKAGE.version)
        self.assertEqual(fields["Depends"], "python3.11, adduser, libc6 (>= 2.34)")
        self.assertEqual(fields["Maintainer"], PACKAGE.maintainer)
        self.assertGreater(int(fields["Installed-Size"]), 10)

    def test_everything_belongs_to_root(self) -> None:
        lines = output("dpkg-deb", "--contents", str(self.packed)).splitlines()
        self.assertEqual({line.split()[1] for line in lines}, {"root/root"})
        settings = [line.split()[0] for line in lines if line.endswith("ctidialer.toml")]
        self.assertEqual(settings, ["-rw-r-----"])

    def test_what_dpkg_is_told(self) -> None:
        control = self.place / "control"
        output("dpkg-deb", "--control", str(self.packed), str(control))
        self.assertEqual((control / "conffiles").read_text().split(), list(CONFFILES))
        summed = {line.split()[1] for line in (control / "md5sums").read_text().splitlines()}
        there = {path.relative_to(self.root).as_posix() for path in files_below(self.root)}
        files = {name for name in there if not name.startswith("DEBIAN/")}
        self.assertEqual(summed, files - {name.lstrip("/") for name in CONFFILES})
        for name in SCRIPTS:
            self.assertTrue((control / name).stat().st_mode & 0o111, name)

    def test_the_same_files_give_the_same_bytes(self) -> None:
        copy = self.place / "copy"
        shutil.copytree(self.root, copy, symlinks=True, copy_function=shutil.copyfile)
        again = pack(copy, PACKAGE, self.place / "second", 0)
        self.assertEqual(again.read_bytes(), self.packed.read_bytes())
