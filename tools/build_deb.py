"""Build a Debian package of ctidialer into ``dist/``: ``python -m tools.build_deb``.

The package holds a virtual environment of its own, ``/usr/lib/ctidialer``, for one minor version of
Debian's Python, with the versions and hashes of ``requirements/daemon.txt``.  It is staged as plain
files and packed by dpkg-deb: dpkg-dev is all that is needed besides the project's environment, and
no root.  ``etc/debian`` has what is not made here.

The same commit gives the same bytes: every time is that of the last commit
(``$SOURCE_DATE_EPOCH``), and nothing of the building machine's folders gets in.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from string import Template

from ctidialer.version import program_version
from tools.check_wheel import DAEMON, ROOT, NotAsItShould
from tools.check_wheel import build as build_wheel
from tools.deb_documents import Package, write_documents

SOURCE = ROOT / "etc" / "debian"
HOME = Path("usr/lib/ctidialer")
BY_HAND = "/opt/ctidialer/"
"""Where docs/deployment.rst puts the environment without a package; the samples name it."""

CONFFILES = ("/etc/ctidialer/ctidialer.toml", "/etc/logrotate.d/ctidialer")
SCRIPTS = ("postinst", "prerm", "postrm")
PROGRAMS = ("ctidialer", "twistd")
EXAMPLES = ("freeswitch", "grafana", "prometheus", "redis", "supervisord")
PRIVATE = {"etc/ctidialer": 0o750, "etc/ctidialer/ctidialer.toml": 0o640}
"""What may hold secrets: never readable by everybody, not even before postinst has run."""

UNUSED = ("**/test", "**/tests", "**/newsfragments", "phonenumbers/geodata")
"""What the Python packages bring and a daemon never reads: their tests, and names of places."""

SYSTEM_PYTHON = "/usr/bin/python3"
OLDEST_PYTHON = (3, 11)
SHORTEST_CONTROL = "Source: ctidialer\n\nPackage: ctidialer\nArchitecture: any\n"
"""What dpkg-shlibdeps asks for."""

DEFAULT_MAINTAINER = ("The ctidialer authors", "ctidialer@users.noreply.github.com")


@dataclass(frozen=True)
class Interpreter:
    """Debian's Python that the package is for."""

    path: str
    version: str
    """Major and minor version, as in ``python3.11``."""


def interpreter(path: str) -> Interpreter:
    """Return the Python at ``path``; NotAsItShould: there is none, or none of Debian's."""
    code = "import os, sys; print(os.path.realpath(sys.executable), *sys.version_info[:2])"
    try:
        told = run([path, "-I", "-c", code]).split()
    except OSError as error:
        raise NotAsItShould(f"{path} cannot be run ({error}): install Debian's python3") from error
    if (int(told[1]), int(told[2])) < OLDEST_PYTHON:
        raise NotAsItShould(f"{path} is Python {told[1]}.{told[2]}: 3.11 or later is needed")
    version = f"{told[1]}.{told[2]}"
    if told[0] != f"/usr/bin/python{version}":
        raise NotAsItShould(f"{path} is {told[0]}: name one of a Debian package, in /usr/bin")
    return Interpreter(told[0], version)


def run(
    command: Sequence[str], folder: Path | None = None, more: Mapping[str, str] | None = None
) -> str:
    """Run a command and return what it prints; NotAsItShould: it failed."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", **(more or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = f"{done.stdout}\n{done.stderr}"
        raise NotAsItShould(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout


def source_date() -> int:
    """Return the time that all files get: ``$SOURCE_DATE_EPOCH``, else that of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    try:
        return int(run(["git", "log", "-1", "--format=%ct"], ROOT))
    except (OSError, NotAsItShould) as error:
        raise NotAsItShould("this is no git checkout: set SOURCE_DATE_EPOCH") from error


def stage_environment(root: Path, python: Interpreter, wheel: Path) -> None:
    """Put the virtual environment with the wheel, and what it needs, below ``root``."""
    home = root / HOME
    run([python.path, "-m", "venv", "--without-pip", str(home)])
    # The project's own pip, run by that Python: neither pip nor ensurepip gets into the package.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    pip += ["--python", str(home / "bin" / "python")]
    install = [*pip, "install", "--quiet", "--no-compile", "--only-binary=:all:"]
    run([*install, "--require-hashes", "--requirement", str(DAEMON)])
    run([*pip, "uninstall", "--quiet", "--yes", "setuptools"])
    run([*install, "--no-deps", "--no-index", str(wheel)])
    run([*pip, "check"])
    relocate(home, python)


def library_of(root: Path, python: Interpreter) -> Path:
    """Return the folder of the Python packages below ``root``."""
    return root / HOME / "lib" / f"python{python.version}" / "site-packages"


def relocate(home: Path, python: Interpreter) -> None:
    """Make an environment fit for another folder than the one where it was made."""
    installed = f"/{HOME.as_posix()}"
    for path in (home / "bin").iterdir():
        if not path.name.startswith("python") and path.name not in PROGRAMS:
            path.unlink()
    for name in PROGRAMS:
        script = home / "bin" / name
        lines = script.read_text("utf-8").split("\n")
        if not lines[0].startswith("#!"):
            raise NotAsItShould(f"{name} does not begin with #!")
        script.write_text("\n".join([f"#!{installed}/bin/python", *lines[1:]]), "utf-8")
    link = home / "bin" / f"python{python.version}"
    link.unlink()
    link.symlink_to(f"../../../bin/{link.name}")
    (home / "lib64").unlink(missing_ok=True)
    shutil.rmtree(home / "include", ignore_errors=True)
    library = home / "lib" / link.name / "site-packages"
    for folder in [folder for pattern in UNUSED for folder in library.glob(pattern)]:
        shutil.rmtree(folder, ignore_errors=True)  # one may have been in another
    config = ("home = /usr/bin", "include-system-site-packages = false")
    (home / "pyvenv.cfg").write_text(
        "\n".join([*config, f"version = {python.version}", f"executable = {python.path}", ""])
    )
    # dpkg owns these files now, and pip is to know it.
    for path in home.rglob("*.dist-info/RECORD"):
        path.unlink()
        (path.parent / "INSTALLER").write_text("dpkg\n")
        for name in ("REQUESTED", "direct_url.json"):  # the latter names the wheel's folder
            (path.parent / name).unlink(missing_ok=True)
    for path in home.rglob("*.so"):
        run(["strip", "--strip-unneeded", str(path)])


def stage_system(root: Path) -> None:
    """Put what belongs outside the environment below ``root``."""
    link = root / "usr/bin/ctidialer"
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../lib/{HOME.name}/bin/ctidialer")
    etc = ROOT / "etc"
    installed = {
        "ctidialer.toml": "etc/ctidialer/ctidialer.toml",
        "logrotate/ctidialer": "etc/logrotate.d/ctidialer",
        "systemd/ctidialer.service": "lib/systemd/system/ctidialer.service",
        "debian/lintian-overrides": "usr/share/lintian/overrides/ctidialer",
    }
    for name, place in installed.items():
        _install(etc / name, root / place)
    examples = root / "usr/share/doc/ctidialer/examples"
    for name in EXAMPLES:
        for path in (etc / name).rglob("*"):
            if path.is_file() and "tests" not in path.parts:
                _install(path, examples / path.relative_to(etc))


def _install(source: Path, target: Path) -> None:
    """Copy a sample; where it names the environment made by hand, name that of the package."""
    target.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text("utf-8")
    text = re.sub(r"(?m)^[#;] (systemd|supervisord|logrotate): copy to .*\n", "", text)
    text = re.sub(r"(?m)^[#;] Installed here as: .*\n", "", text)
    target.write_text(text.replace(BY_HAND, f"/{HOME.as_posix()}/"), "utf-8")


def finish_files(root: Path, moment: int) -> None:
    """Give every file its mode and time; what dpkg-deb packs depends on nothing else."""
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            name = path.relative_to(root).as_posix()
            program = path.parent == root / HOME / "bin" or (
                path.parent.name == "DEBIAN" and path.name in SCRIPTS
            )
            path.chmod(PRIVATE.get(name, 0o755 if path.is_dir() or program else 0o644))
        os.utime(path, (moment, moment), follow_symlinks=False)
    root.chmod(0o755)
    os.utime(root, (moment, moment))


def regular_files(root: Path) -> Iterator[Path]:
    """Yield the files below ``root`` in order, links left out."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def needed_libraries(root: Path) -> str:
    """Return the packages of the libraries that the extension modules ask for."""
    with tempfile.TemporaryDirectory(prefix="ctidialer-shlibs-") as name:
        folder = Path(name)
        (folder / "debian").mkdir()
        (folder / "debian/control").write_text(SHORTEST_CONTROL)
        modules = [f"-e{path}" for path in sorted(root.rglob("*.so"))]
        told = run(["dpkg-shlibdeps", "-O", "--warnings=0", *modules], folder)
    found = re.search(r"(?m)^shlibs:Depends=(.+)$", told)
    if found is None:
        raise NotAsItShould(f"dpkg-shlibdeps names no package of a library:\n{told}")
    return found[1]


def write_control(root: Path, package: Package, python: str, libraries: str) -> None:
    """Write what dpkg reads before it unpacks: control, conffiles, checksums and the scripts."""
    files = list(regular_files(root))
    folder = root / "DEBIAN"
    folder.mkdir()
    size = sum(-(-path.stat().st_size // 1024) for path in files)  # KiB, each file rounded up
    text = Template((SOURCE / "control").read_text("utf-8")).substitute(
        version=package.version,
        architecture=package.architecture,
        maintainer=package.maintainer,
        installed_size=size,
        python=f"python{python}",
        libraries=libraries,
    )
    (folder / "control").write_text(text, "utf-8")
    (folder / "conffiles").write_text("".join(f"{name}\n" for name in CONFFILES))
    sums = (
        f"{md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
        for path in files
        if f"/{path.relative_to(root)}" not in CONFFILES
    )
    (folder / "md5sums").write_text("".join(sums))
    for name in SCRIPTS:
        shutil.copyfile(SOURCE / name, folder / name)


def pack(root: Path, package: Package, into: Path, level: int) -> Path:
    """Let dpkg-deb make the package of what is staged, packed at this level of xz."""
    finish_files(root, package.moment)
    into.mkdir(parents=True, exist_ok=True)
    target = into / f"ctidialer_{package.version}_{package.architecture}.deb"
    run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", f"-z{level}", "--build", str(root), str(target)],
        more={"SOURCE_DATE_EPOCH": str(package.moment)},
    )
    return target


def maintainer() -> str:
    """Return who signs the package: ``$DEBFULLNAME`` and ``$DEBEMAIL``, as Debian's tools do."""
    name = os.environ.get("DEBFULLNAME") or DEFAULT_MAINTAINER[0]
    return f"{name} <{os.environ.get('DEBEMAIL') or DEFAULT_MAINTAINER[1]}>"


def build(
    into: Path, python_path: str = SYSTEM_PYTHON, revision: str = "1", level: int = 6
) -> Path:
    """Build the package into ``into`` and return its path; NotAsItShould: it cannot be built.

    ``level`` is that of xz, 0 to 9: the lowest is ten times as quick, and half as large again.
    """
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "strip"):
        if shutil.which(tool) is None:
            raise NotAsItShould(f"{tool} is not on this machine: apt-get install dpkg-dev")
    python = interpreter(python_path)
    moment = source_date()
    os.environ["SOURCE_DATE_EPOCH"] = str(moment)  # for the wheel, too
    package = Package(
        # Two Debian releases have two Pythons: the later one's package is the later version.
        version=f"{program_version()}-{revision}+py{python.version}",
        architecture=run(["dpkg", "--print-architecture"]).strip(),
        maintainer=maintainer(),
        moment=moment,
    )
    with tempfile.TemporaryDirectory(prefix="ctidialer-deb-") as name:
        folder = Path(name)
        root = folder / "root"
        root.mkdir()
        stage_environment(root, python, build_wheel(folder / "dist"))
        stage_system(root)
        write_documents(root, package, library_of(root, python))
        write_control(root, package, python.version, needed_libraries(root))
        return pack(root, package, into, level)


def main() -> int:
    """Build it and return the exit status."""
    parser = argparse.ArgumentParser(description="Build a Debian package of ctidialer.")
    parser.add_argument("--outdir", type=Path, default=ROOT / "dist")
    parser.add_argument("--python", default=SYSTEM_PYTHON, help="Debian's Python to build it for")
    parser.add_argument("--revision", default="1", help="the package's revision of this version")
    given = parser.parse_args()
    try:
        print(build(given.outdir, given.python, given.revision))
    except NotAsItShould as fault:
        print(f"build_deb: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
