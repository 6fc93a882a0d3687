"""The chain as a process of its own lives no longer than whoever started it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import pytest

from sayso.devchain import DevChain, PortUnavailable, dev_account
from sayso.errors import ExtraMissing
from support.waiting import DEADLINE_S


@contextmanager
def process(*options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "sayso.devchain", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def announced(child: subprocess.Popen[str]) -> Any:
    assert child.stdout is not None
    return json.loads(child.stdout.readline())


def chain_id(url: str) -> int:
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
    with urlopen(Request(url, data=body, method="POST"), timeout=DEADLINE_S) as response:
        return int(json.load(response)["result"], 16)


def test_it_says_where_it_answers_and_ends_when_its_stdin_closes() -> None:
    with process("--port", "0", "--block-time", "0.05") as child:
        ready = announced(child)
        assert chain_id(ready["url"]) == ready["chain_id"] == 31337
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(DEADLINE_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal(number: signal.Signals) -> None:
    with process("--port", "0") as child:
        announced(child)
        os.kill(child.pid, number)
        assert child.wait(DEADLINE_S) == 0
        assert child.stderr is not None
        assert child.stderr.read() == ""


def test_a_taken_port_is_said_in_one_line() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        process("--port", str(taken.getsockname()[1])) as child,
    ):
        assert child.wait(DEADLINE_S) == 1
        assert child.stderr is not None
        errors = child.stderr.read()
    assert errors.startswith("port-unavailable: ")
    assert errors.count("\n") == 1


async def test_a_taken_port_is_an_error_of_ours() -> None:
    async with DevChain() as first:
        with pytest.raises(PortUnavailable):
            async with DevChain(port=int(first.url.rpartition(":")[2])):
                pass


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sayso.devchain.chain", "sayso.devchain.methods"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "alysis", None)
    with pytest.raises(ExtraMissing, match=r"pip install '\.\[demo\]'"):
        async with DevChain():
            pass


def test_keys_are_the_same_everywhere() -> None:
    assert dev_account(0).address == "0xd51b2773F31A186Fd383bA313bF94A10A56e87f3"
    assert len({dev_account(index).address for index in range(10)}) == 10
