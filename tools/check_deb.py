"""Try the Debian package in a clean root: ``python -m tools.check_deb``, as root, on Debian.

mmdebstrap makes a root with nothing but Debian's own packages and a Redis; there the package is
installed with what it depends on, used, upgraded, removed and purged.  The first thing that is
wrong ends the script with status 1 and a line that names it.  Where no root can be made, one line
says why, and the status is 0 (with ``--must``: 1).

There is no systemd in the root.  A ``systemctl`` that writes down how it is called stands in for
it: the maintainer scripts, and Debian's helpers below them, are the real ones.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tools.build_deb import CONFFILES, HOME, SYSTEM_PYTHON, build, run
from tools.check_wheel import IMPORT_ALL, ROOT, NotAsItShould

TIMEOUT = 600
"""Seconds for one command in the root; a busy machine needs some of them."""

DEMO_NUMBERS = 200
QUICK = 0
"""The level of xz for packages that are tried and thrown away."""

SETTINGS = "/etc/ctidialer/ctidialer.toml"
EDIT = "# edited by the operator\n"
CALLS = "var/log/systemctl"
SYSTEMCTL = f"""#!/bin/sh
echo "$*" >> /{CALLS}
"""
AS_DAEMON = (
    "setpriv --reuid=ctidialer --regid=ctidialer --init-groups --reset-env"
    " --inh-caps=-all --bounding-set=-all"
)
# The line that the unit runs, as the daemon's account, without a network: it must load the plugin
# and the installed settings, wait for Redis, and end by SIGTERM as a drained daemon does.
DRY_START = f"""
cd /var/lib/ctidialer
command=$(sed -n 's/^ExecStart=//p' /lib/systemd/system/ctidialer.service)
{AS_DAEMON} $command >/tmp/daemon.log 2>&1 & daemon=$!
until grep -q 'Redis' /tmp/daemon.log; do
    kill -0 $daemon 2>/dev/null || {{ cat /tmp/daemon.log; exit 1; }}
    sleep 0.2
done
kill -TERM $daemon
wait $daemon && status=0 || status=$?
grep -qi traceback /tmp/daemon.log && {{ cat /tmp/daemon.log; exit 1; }}
case $status in 0 | 143) ;; *) cat /tmp/daemon.log; exit 1 ;; esac
"""
CHECK = f"""
redis-server --port 0 --unixsocket /tmp/redis.sock --unixsocketperm 777 --save '' >/tmp/redis.log &
until redis-cli -s /tmp/redis.sock ping 2>/dev/null | grep -q PONG; do sleep 0.2; done
cd /var/lib/ctidialer
{AS_DAEMON} ctidialer check --redis unix:///tmp/redis.sock
"""


class CannotTry(Exception):
    """No clean root can be made here; the text says why."""


class CleanRoot:
    """A root folder with a small Debian in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def shell(self, script: str, *, network: bool = False) -> str:
        """Run a script in the root, with its own processes; return what it prints.

        Without ``network`` there is not even a loopback interface.
        """
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        apart += [] if network else ["--net"]
        command = [*apart, f"--mount-proc={self.path / 'proc'}", "chroot", str(self.path)]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        if network:
            environment |= {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
        try:
            done = subprocess.run(
                [*command, "sh", "-ec", script],
                env={**environment, "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotAsItShould(f"not done after {TIMEOUT} s:\n{script}") from error
        if done.returncode:
            raise NotAsItShould(f"ended with {done.returncode}:\n{script}\n{done.stdout}")
        return done.stdout

    def file(self, name: str) -> Path:
        """Return where the file that is called ``name`` in the root stands."""
        return self.path / name.lstrip("/")

    @contextmanager
    def systemd_calls(self) -> Iterator[Callable[[], list[str]]]:
        """Make believe that systemd runs; hand out what tells how it was called."""
        self.file("/run/systemd/system").mkdir(parents=True)
        self.file(CALLS).write_text("")
        yield lambda: self.file(CALLS).read_text().splitlines()
        shutil.rmtree(self.file("/run/systemd"))


def why_not(python: str) -> str:
    """Say why no clean root can be made on this machine; empty: one can."""
    if os.geteuid() != 0:
        return "it needs root, for chroot"
    if shutil.which("mmdebstrap") is None or shutil.which("dpkg-shlibdeps") is None:
        return "it needs Debian's tools: apt-get install mmdebstrap dpkg-dev"
    if not Path(python).exists():
        return f"{python} is not there: apt-get install python3"
    return ""


def make_root(path: Path, suite: str, mirror: str) -> CleanRoot:
    """Make a clean root in ``path``; CannotTry: this machine cannot."""
    # Its mounts are seen by nobody else: whatever ends it, none of them stays.
    command = [
        "unshare",
        "--mount",
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=apt",
        "--include=redis-server",
    ]
    command += ["--skip=cleanup/apt", suite, str(path), *([mirror] if mirror else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotTry(f"mmdebstrap could not make a root:\n{done.stderr.strip()[-600:]}")
    root = CleanRoot(path)
    shutil.copyfile("/etc/resolv.conf", root.file("/etc/resolv.conf"))
    root.file("/usr/bin/systemctl").write_text(SYSTEMCTL)
    root.file("/usr/bin/systemctl").chmod(0o755)
    return root


def later_version(first: Path, folder: Path) -> Path:
    """Make a later package of ``first``, one whose settings file has changed; return its path."""
    stage = folder / "later"
    run(["dpkg-deb", "--raw-extract", str(first), str(stage)])
    control = stage / "DEBIAN/control"
    text, count = re.subn(r"(?m)^(Version: .*)-1\+", r"\1-2+", control.read_text("utf-8"))
    if count != 1:
        raise NotAsItShould(f"{first.name} has no revision 1")
    control.write_text(text, "utf-8")
    with (stage / SETTINGS.lstrip("/")).open("a", encoding="utf-8") as settings:
        settings.write("# of the later version\n")
    later = folder / first.name.replace("-1+", "-2+")
    run(["dpkg-deb", "--root-owner-group", f"-z{QUICK}", "--build", str(stage), str(later)])
    return later


def expect(what: str, found: object, wanted: object) -> None:
    """NotAsItShould: something is not as it is wanted."""
    if found != wanted:
        raise NotAsItShould(f"{what}: {found!r} in place of {wanted!r}")


def modes(root: CleanRoot, *names: str) -> list[str]:
    """Return mode, owner and group of files."""
    return root.shell(f"stat --format='%a %U:%G' {' '.join(names)}").splitlines()


def check_installation(root: CleanRoot, package: Path) -> None:
    """Install the package with what it depends on, and look at what is there."""
    shutil.copyfile(package, root.file(f"/tmp/{package.name}"))
    with root.systemd_calls() as calls:
        install = "apt-get install --yes --quiet --no-install-recommends"
        root.shell(f"{install} /tmp/{package.name}", network=True)
        expect("calls of systemctl at the first installation", calls(), ["--system daemon-reload"])
    expect("files that differ", root.shell("dpkg --verify ctidialer"), "")
    listed = root.shell("dpkg-query --show --showformat='${Conffiles}' ctidialer").split()
    expect("conffiles", tuple(listed[::2]), CONFFILES)
    account = root.shell("getent passwd ctidialer").strip().split(":")
    expect("home and shell", account[5:], ["/var/lib/ctidialer", "/usr/sbin/nologin"])
    expect("that it is a system account", int(account[2]) < 1000, True)
    private = modes(root, "/etc/ctidialer", SETTINGS, "/var/lib/ctidialer", CONFFILES[1])
    wanted = ["750 root:ctidialer", "640 root:ctidialer", "750 ctidialer:ctidialer"]
    expect("modes", private, [*wanted, "644 root:root"])
    stray = f"find /{HOME} /usr/bin/ctidialer \\( ! -user root -o -perm /022 \\) ! -type l"
    expect("programs that others may change", root.shell(stray), "")
    expect("scripts of another folder", root.shell(f"grep -lF {ROOT} /{HOME}/bin/* || true"), "")


def check_use(root: CleanRoot) -> None:
    """Use what was installed."""
    version = re.search(r"\d+\.\d+\.\d+", root.shell("ctidialer --version"))
    packaged = root.shell("dpkg-query --show --showformat='${Version}' ctidialer")
    expect("version", version and version[0], packaged.partition("-")[0])
    print(root.shell(f"/{HOME}/bin/python -I - <<'END'\n{IMPORT_ALL}\nEND").strip())
    root.shell("for shell in bash zsh fish; do ctidialer completion $shell; done")
    root.shell(CHECK)
    root.shell(DRY_START)
    demo = f"cd /var/lib/ctidialer && {AS_DAEMON} ctidialer demo --numbers {DEMO_NUMBERS}"
    print(root.shell(demo, network=True).strip().splitlines()[-1].strip())


def check_upgrade(root: CleanRoot, later: Path) -> None:
    """Upgrade to a version with other settings; what the operator has changed stays."""
    settings = root.file(SETTINGS)
    with settings.open("a", encoding="utf-8") as file:
        file.write(EDIT)
    root.shell(f"chmod 600 {SETTINGS}")
    edited = settings.read_text("utf-8")
    shutil.copyfile(later, root.file(f"/tmp/{later.name}"))
    with root.systemd_calls() as calls:
        root.shell(f"dpkg --install --force-confdef --force-confold /tmp/{later.name}")
        expect("stops in an upgrade", [call for call in calls() if "stop" in call.split()], [])
        restarts = [call for call in calls() if "try-restart ctidialer.service" in call]
        expect("restarts in an upgrade", len(restarts), 1)
    expect("the settings after an upgrade", settings.read_text("utf-8"), edited)
    expect("the mode that the operator gave them", modes(root, SETTINGS), ["600 root:ctidialer"])
    root.shell("ctidialer --version")


def check_removal(root: CleanRoot) -> None:
    """Remove the package: the settings stay.  Purge it: nothing stays but the account."""
    root.shell("install -m 600 /dev/null /etc/ctidialer/secrets.env")
    with root.systemd_calls() as calls:
        root.shell("dpkg --remove ctidialer")
        stops = [call for call in calls() if "stop ctidialer.service" in call]
        expect("stops at a removal", len(stops), 1)
    expect("the edit after a removal", EDIT in root.file(SETTINGS).read_text("utf-8"), True)
    expect("the programs after a removal", root.file(HOME.as_posix()).exists(), False)
    root.shell("dpkg --purge ctidialer")
    names = ("/etc/ctidialer", CONFFILES[1], "/var/lib/ctidialer", "/var/log/ctidialer")
    expect("after a purge", [name for name in names if root.file(name).exists()], [])
    owned = root.shell("find / -xdev -path /proc -prune -o -user ctidialer -print")
    expect("files of the account after a purge", owned, "")
    expect("the package after a purge", root.shell("dpkg -l ctidialer || true").count("ii "), 0)
    root.shell("getent passwd ctidialer")


def check_lint(package: Path) -> None:
    """Let lintian look at the package, where it is installed."""
    if shutil.which("lintian") is None:
        print("lintian is not on this machine")
        return
    run(["lintian", "--no-cfg", "--profile=debian", "--fail-on=error,warning", str(package)])
    print("lintian finds no error and no warning")


def check_all(folder: Path, python: str, suite: str, mirror: str) -> None:
    """Build the package twice, and try it."""
    with ThreadPoolExecutor() as pool:
        making = pool.submit(make_root, folder / "root", suite, mirror)  # waits for the network
        first, second = (build(folder / name, python, level=QUICK) for name in ("one", "two"))
        same = first.read_bytes() == second.read_bytes()
        expect("that a second build has the same bytes", same, True)
        print(f"{first.name}: {first.stat().st_size / 1e6:.0f} MB, twice the same bytes")
        root = making.result()
        linting = pool.submit(check_lint, first)
        try_in(root, first, later_version(first, folder))
        linting.result()
    print(f"installed, used, upgraded, removed and purged in a clean {suite}")


def try_in(root: CleanRoot, first: Path, later: Path) -> None:
    """Take the package through its life in the root."""
    check_installation(root, first)
    check_use(root)
    check_upgrade(root, later)
    check_removal(root)


def this_suite() -> str:
    """Return the code name of the Debian that this machine has."""
    path = Path("/etc/os-release")
    text = path.read_text("utf-8") if path.exists() else ""
    found = re.search(r"(?m)^VERSION_CODENAME=\"?(\w+)", text)
    return found[1] if found else "stable"


def main() -> int:
    """Do it all and return the exit status."""
    parser = argparse.ArgumentParser(description="Try the Debian package in a clean root.")
    parser.add_argument("--python", default=SYSTEM_PYTHON, help="Debian's Python to build it for")
    parser.add_argument("--suite", default=this_suite(), help="which Debian the root has")
    parser.add_argument("--mirror", default="", help="of its packages; default: Debian's")
    parser.add_argument("--must", action="store_true", help="not to be able to try it is a failure")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ctidialer-deb-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # apt's own account reads in the root
        try:
            if reason := why_not(given.python):
                raise CannotTry(reason)
            check_all(Path(name), given.python, given.suite, given.mirror)
        except CannotTry as reason:
            print(f"check_deb: skipped: {reason}")
            return 1 if given.must else 0
        except NotAsItShould as fault:
            print(f"check_deb: {fault}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
