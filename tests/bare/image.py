"""Makes the image of deploy/Dockerfile without an engine, and runs its node as a container would.

    AS=root tests/bare/run.sh bookworm "python3 tests/bare/image.py"

Every instruction of the Dockerfile is carried out in order, in copies of this bare Debian instead of the
image that FROM names. The node then runs as its user, with a root that is read-only, no capabilities, a
tmpfs on /tmp and a volume, as compose.yaml says. Only Python's standard library is used.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bare.guide import DEADLINE_S, HERE, ask, eventually, say, world

DOCKERFILE = HERE / "deploy" / "Dockerfile"
STAGES = Path("/stages")
VOLUME = Path("/volume")
URL = "http://127.0.0.1:8600"
FROM = "python:3.11-slim-bookworm"  # for which this bare Debian stands
SYSTEM = ("bin", "etc", "lib", "lib64", "sbin", "usr", "var")  # what is copied of it
EMPTY = ("dev", "home", "opt", "proc", "root", "run", "sys")
PASSED_ON = ("PIP_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy")
DEVICES = 'mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"\n'
OPEN = f'root=$1; shift; {DEVICES} exec chroot "$root" "$@"'
SEALED = f"""
root=$1 volume=$2 at=$3 user=$4 group=$5; shift 5
mount --bind "$root" "$root"
mount --bind "$volume" "$root$at"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/tmp"
{DEVICES}
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid "$user" --regid "$group" --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all "$@"
"""


class Instruction(NamedTuple):
    """A line of a Dockerfile: its first word, and the rest."""

    word: str
    rest: str


def instructions(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile, without comments, each on one line."""
    lines = "\n".join(one for one in text.splitlines() if not one.lstrip().startswith("#"))
    joined = re.sub(r"\\\n", " ", lines)
    split = (one.split(None, 1) for one in joined.splitlines() if one.strip())
    return [Instruction(word, rest) for word, rest in split]


def let_in(ignoring: str) -> list[str]:
    """What .dockerignore lets in: only the form that leaves out everything but exceptions is known."""
    first, *lines = ignoring.split()
    if first != "*":
        raise ValueError(f"{first!r} is not known here")
    return [one[1:] for one in lines if one.startswith("!")]


class Image:
    """A root, and what the instructions say about processes in it."""

    def __init__(self, root: Path, stages: "dict[str, Image]") -> None:
        self.root, self._stages = root, stages
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
        self.user, self.folder = "0:0", "/"
        self.entry, self.command, self.health = list[str](), list[str](), list[str]()
        self.volume = ""

    def within(self, path: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / str(Path(self.folder, path)).lstrip("/")

    def start(self) -> None:
        """Copy this bare Debian, where Python is what the official image calls it."""
        self.root.mkdir(parents=True)
        for name in SYSTEM:
            copy_all(f"/{name}", self.root)
        for name in EMPTY:
            (self.root / name).mkdir()
        (self.root / "tmp").mkdir()
        (self.root / "tmp").chmod(0o1777)
        (self.root / "usr/local/bin/python").symlink_to("/usr/bin/python3")

    def run(self, rest: str) -> None:
        """RUN: by root, which can reach the registries of packages."""
        if self.user != "0:0":
            raise ValueError("RUN by another user than root")
        outside = {k: v for k, v in os.environ.items() if k.startswith(PASSED_ON)}
        words = ["env", "-i", "-C", self.folder, *pairs(outside | self.environment), "sh", "-euc", rest]
        command = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-euc", OPEN, "sh"]
        subprocess.run([*command, str(self.root), *words], check=True)

    def copy(self, rest: str) -> None:
        """COPY: files of the sources that .dockerignore lets in, or of another stage."""
        words = shlex.split(rest)
        if words[0].startswith("--from="):
            other = self._stages[words[0].removeprefix("--from=")]
            _, source, target = words
            self.within(target).parent.mkdir(parents=True, exist_ok=True)
            copy_all(str(other.within(source)), self.within(target).parent)
            return
        *sources, target = words
        into = len(sources) > 1 or target.endswith("/")
        kept = let_in(DOCKERFILE.with_name("Dockerfile.dockerignore").read_text())
        for source in sources:
            if not any(source == one or source.startswith(f"{one}/") for one in kept):
                raise ValueError(f".dockerignore leaves out {source}")
            for name in subprocess.check_output(
                ["git", "ls-files", source], cwd=HERE, text=True
            ).split():
                below = Path(name).name if into else os.path.relpath(name, source)
                place = self.within(target) / below
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(HERE / name, place)

    def set_environment(self, rest: str) -> None:
        """ENV: with what was set before."""
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self.environment[name] = re.sub(r"\$(\w+)", lambda one: self.environment[one[1]], value)

    def work_in(self, rest: str) -> None:
        """WORKDIR: made where it is not there."""
        self.folder = rest
        self.within("").mkdir(parents=True, exist_ok=True)

    def carry_out(self, step: Instruction) -> None:
        """Carry out one instruction; raises KeyError for one that is not known."""
        say(f"{step.word} {step.rest}")
        listed = ("USER", "VOLUME", "ENTRYPOINT", "CMD", "HEALTHCHECK")
        if step.word in listed:
            name = dict(zip(listed, ("user", "volume", "entry", "command", "health"), strict=True))
            words = step.rest.partition("CMD ")[2] if step.word == "HEALTHCHECK" else step.rest
            setattr(self, name[step.word], json.loads(words) if words.startswith("[") else words)
            return
        known: dict[str, Callable[[str], None]] = {
            "RUN": self.run,
            "COPY": self.copy,
            "ENV": self.set_environment,
            "WORKDIR": self.work_in,
            "LABEL": lambda _: None,
            "EXPOSE": lambda _: None,
        }
        known[step.word](step.rest)

    def contained(self, *command: str) -> list[str]:
        """A command as a container runs it: sealed but for the volume and /tmp."""
        user, _, group = self.user.partition(":")
        words = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-euc", SEALED, "sh"]
        words += [str(self.root), str(VOLUME), self.volume, user, group]
        return [*words, "env", "-i", "-C", self.folder, *pairs(self.environment), *command]


def pairs(environment: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def copy_all(source: str, folder: Path) -> None:
    """Copy with owners, modes and links."""
    subprocess.run(["cp", "-a", "--reflink=auto", source, str(folder)], check=True)


def build() -> Image:
    """Carry out the Dockerfile; returns the last stage."""
    stages: dict[str, Image] = {}
    for step in instructions(DOCKERFILE.read_text()):
        if step.word == "FROM":
            base, _, name = step.rest.partition(" AS ")
            if base != FROM:
                raise ValueError(f"{base} is not {FROM}")
            image = stages[name] = Image(STAGES / (name or "image"), stages)
            image.start()
        else:
            image.carry_out(step)
    return image


def once(image: Image, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a container to its end."""
    return subprocess.run(image.contained(*command), capture_output=True, text=True, check=False)


def check_sealed(image: Image, pid: int) -> None:
    """The node is its user, may become nobody else, and can write to its volume and /tmp only."""
    text = Path(f"/proc/{pid}/status").read_text()
    for line in ("NoNewPrivs:\t1", f"CapEff:\t{0:016x}", f"CapBnd:\t{0:016x}"):
        assert line in text, line
    assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", text, re.MULTILINE)
    for folder in ("/", "/opt/sayso", "/etc", "/usr/local/bin"):
        written = subprocess.run(
            ["nsenter", f"--target={pid}", "--mount", "--root", "touch", f"{folder}/x"],  # even by root
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Read-only file system" in written.stderr, (folder, written)
    for folder in ("/tmp", image.volume):
        assert once(image, "sh", "-c", f"touch {folder}/x && rm {folder}/x").returncode == 0, folder


def ready() -> bool:
    try:
        return ask(f"{URL}/readyz")[0] == 200
    except OSError:
        return False


def main() -> None:
    """Build the image, and run its node."""
    image = build()
    copy_all(str(image.within(image.volume)), Path("/"))  # a new volume has what the image has there
    Path("/", Path(image.volume).name).rename(VOLUME)
    chain, rpc = world()
    shutil.copy("/opt/world/network.toml", VOLUME / "network.toml")
    (VOLUME / "network.toml").chmod(0o644)
    node = None
    try:
        init = once(
            image,
            *(*image.entry, "node", "init", image.volume, "--name", "North", "--rpc", rpc),
            *("--network", f"{image.volume}/network.toml", "--http", "0.0.0.0:8600"),
            *("--listen", "/ip4/0.0.0.0/tcp/4600", "--announce", "/dns4/north.example/tcp/4600"),
            *("--public-url", "https://north.example"),
        )
        say(init.stdout + init.stderr)
        assert init.returncode == 0
        node = subprocess.Popen(image.contained(*image.entry, *image.command))
        eventually("the node is ready", ready)
        check_sealed(image, node.pid)
        health = once(image, *image.health)
        assert health.returncode == 0, health.stderr
        node.terminate()
        assert node.wait(DEADLINE_S) == 0
        assert once(image, *image.health).returncode, "nothing answers, and that is said"
    finally:
        for process in (node, chain):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
    say("the image runs a healthy node that may write to its volume only")


if __name__ == "__main__":
    main()
