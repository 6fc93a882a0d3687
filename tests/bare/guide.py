"""Follows docs/how-to/operator-run-a-node.md in a bare Debian, until two others have dialled the node.

    AS=root tests/bare/run.sh bookworm "python3 tests/bare/guide.py"

Every command of the page runs as it is written, but for what has no place here: the chain is one of this
machine, and there is no systemd. Only Python's standard library is used.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
PAGE = HERE / "docs" / "how-to" / "operator-run-a-node.md"
DEADLINE_S = 300.0
RPC = "https://rpc.example"
WORLD = Path("/opt/world")  # the chain, and the other operators


def say(text: str) -> None:
    """Print at once, so that what is seen last is what failed."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def blocks() -> list[str]:
    """The commands of the page, a block each, in order."""
    found: list[str] = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return found


def run(command: str, where: Path) -> None:
    """Run a command and show what it prints; end if it fails."""
    say(f"$ {command}")
    words = ["bash", "-euc", command]
    done = subprocess.run(words, cwd=where, capture_output=True, text=True, check=False)
    say(done.stdout + done.stderr)
    if done.returncode:
        sys.exit(f"status {done.returncode}")


def start(*command: str) -> "tuple[subprocess.Popen[str], str]":
    """Start what serves, and return it with the first line that it prints."""
    say(f"$ {' '.join(command)} &")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=WORLD)
    assert process.stdout
    line = process.stdout.readline()
    say(line)
    return process, line


def eventually(what: str, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"never: {what}")
        time.sleep(0.5)
    say(what)


def ask(url: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def connected(url: str) -> int:
    peers = ask(f"{url}/v1/peers")[1]["peers"]
    assert isinstance(peers, list)
    return sum(one["connected"] for one in peers)


def told(words: str) -> str:
    """The one block of the page with these words."""
    [found] = [one for one in blocks() if words in one]
    return found


KEY = (
    "from pathlib import Path; from sayso.devchain import dev_account;"
    "from sayso.contributor.keystore import save_key; save_key(Path('payer.json'), dev_account(0), 'x')"
)


def others(rpc: str) -> list[str]:
    """Make the nodes of two other operators, and run them; returns their URLs."""
    urls = []
    for number, name in ((1, "south"), (2, "west")):
        http, peer = 8600 + number, 4600 + number
        run(
            f"sayso node init {name} --name {name} --rpc {rpc} --network network.toml"
            f" --http 127.0.0.1:{http} --listen /ip4/127.0.0.1/tcp/{peer}",
            WORLD,
        )
        run(f"sayso network add --from-node {name}", WORLD)
        urls.append(f"http://127.0.0.1:{http}")
    return urls


def world() -> "tuple[subprocess.Popen[str], str]":
    """Start a chain with the registry, whose network file is in WORLD; returns it and its URL."""
    run(f"python3 -m venv {WORLD} && {WORLD}/bin/pip install uv", HERE)
    run(f"{WORLD}/bin/uv pip install --python {WORLD}/bin/python '.[demo]'", HERE)
    with Path("/etc/hosts").open("a") as hosts:
        hosts.write("127.0.0.1 north.example\n")
    os.environ["SAYSO_PASSWORD"] = "x"
    chain, line = start(f"{WORLD}/bin/sayso", "devchain", "--port", "0")
    rpc = line.split()[3].rstrip(";")
    run(f'{WORLD}/bin/python -c "{KEY}"', WORLD)
    run(f"{WORLD}/bin/sayso contract deploy --rpc {rpc} --key payer.json --write --yes", WORLD)
    return chain, rpc


def make() -> "tuple[subprocess.Popen[str], str]":
    """Make the node of the page; returns the chain and its URL."""
    run(told("pip install uv"), HERE)
    chain, rpc = world()
    run(told("contract verify").replace(RPC, rpc), WORLD)
    run(told("node init").replace(RPC, rpc), WORLD)
    run("sayso network add --from-node /var/lib/sayso", WORLD)
    return chain, rpc


def main() -> None:
    """Follow the page."""
    chain, rpc = make()
    urls = others(rpc)
    running = [chain]
    try:
        for command in (told("node run"), "sayso node run south", "sayso node run west"):
            process, line = start(*command.split())
            running.append(process)
            if not line.startswith("ready: "):
                sys.exit(line)
        eventually("two others have dialled the node", lambda: all(connected(one) == 2 for one in urls))
        eventually("the node is ready", lambda: ask("http://127.0.0.1:8600/readyz")[0] == 200)
        run(told("node status"), WORLD)
        run(told("node doctor").strip() + " || true", WORLD)
        run("mkdir /backup && " + told("node backup").splitlines()[0], WORLD)
        run(told("verify-store"), WORLD)
        north = running.pop(1)
        north.terminate()
        north.wait(DEADLINE_S)
        run(told("sayso.newer").replace("before-update", "north"), WORLD)
        process, line = start(*told("node run").split())
        running.append(process)
        say(line)
        eventually("the restored node is ready", lambda: ask("http://127.0.0.1:8600/readyz")[0] == 200)
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(DEADLINE_S)
    say("the page leads to a healthy node")


if __name__ == "__main__":
    main()
