"""One command starts a chain, a node and the shop, and ends all of them."""

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from sayso.demo.ports import free_ports
from support.waiting import DEADLINE_S

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.long
def test_one_command_starts_everything(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "marketplace", "--folder", str(tmp_path), "--port", str(port)]
    process = subprocess.Popen(command, cwd=EXAMPLES, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        words = process.stdout.readline().split()
        assert words[0] == "shop:"
        for url, shown in ((words[1], "In stock: 0 files"), (words[5], "To remove")):
            with urllib.request.urlopen(url, timeout=DEADLINE_S) as answer:
                assert shown in answer.read().decode()
        with urllib.request.urlopen(f"{words[7]}/healthz", timeout=DEADLINE_S) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert (tmp_path / "shop.key").stat().st_mode & 0o77 == 0
