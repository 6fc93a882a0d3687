"""The process: signals, and an output that takes nothing."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

from node.config.test_folder import make
from sayso.demo.ports import LOOPBACK, free_ports
from sayso_node.folder.settings import CONFIG_FILE
from support.running_node import running_node
from support.waiting import DEADLINE_S


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=DEADLINE_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def test_a_full_output_and_sighup_end_nothing(tmp_path: Path) -> None:
    http, peer = free_ports(2)
    url = f"http://{LOOPBACK}:{http}"
    listen = (f"/ip4/{LOOPBACK}/tcp/{peer}",)
    make(tmp_path, http=f"{LOOPBACK}:{http}", listen=listen, rpc=f"http://{LOOPBACK}:1")
    text = (tmp_path / CONFIG_FILE).read_text()
    command = [sys.executable, "-m", "sayso", "node", "run", str(tmp_path)]
    with Path("/dev/full").open("wb") as full, (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=full, stderr=log, cwd=tmp_path)
        try:
            wait_for(lambda: answers(url), process)
            for change, said in (
                ("max_fee_gwei = 200.0", 'limits-read: the limits in node.toml were read again; new=""'),
                ("max_fee_gwei = 7.0", "new=max_fee_gwei"),
                ("max_fee_gwei = nan", "settings-unread: SIGHUP: node.toml is not read again; "),
            ):
                (tmp_path / CONFIG_FILE).write_text(text.replace("max_fee_gwei = 200.0", change))
                process.send_signal(signal.SIGHUP)
                wait_for(lambda words=said: words in (tmp_path / "log").read_text(), process)
            (tmp_path / CONFIG_FILE).unlink()
            os.mkfifo(tmp_path / CONFIG_FILE)  # nobody writes into it
            process.send_signal(signal.SIGHUP)
            wait_for(lambda: "it is not a file" in (tmp_path / "log").read_text(), process)
            assert answers(url)
            process.send_signal(signal.SIGINT)
            assert process.wait(DEADLINE_S) == 0
        finally:
            process.kill()
            process.wait(DEADLINE_S)


def wait_for(condition: object, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():  # type: ignore[operator]
        assert process.poll() is None, "the node has ended"
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def test_new_limits_hold_at_once(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        chain, chosen = node.node._chain, node.node._config.settings
        node.node.reload(replace(chosen, max_fee_gwei=7.0, budget_eth_per_day=2.0, name="Later"))
        assert chain._payer
        allowance = chain._payer._allowance
        assert (allowance.max_fee, allowance.budget) == (7 * 10**9, 2 * 10**18)
        relayer, deployer = chain._limited
        assert relayer._budget_part == 2 * 10**18 // 8  # type: ignore[union-attr]
        assert deployer._budget == 2 * 10**18 // 4  # type: ignore[union-attr]
