"""`sayso node doctor`: what a node needs, line by line, with what to do."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sayso.commands.options import PATH
from sayso.commands.text import example, say
from sayso.errors import NotReady
from sayso.extras import extra

if TYPE_CHECKING:
    from sayso_node.doctor.diagnosis import Diagnosis
    from sayso_node.folder.config import NodeConfig


@click.command(epilog=example("sayso node doctor ./node"))
@click.argument("folder", type=PATH)
def doctor(folder: Path) -> None:
    """Examine the node in FOLDER: permissions, store, disk, limits, clock, endpoints, other operators.

    Each line is OK, WARN or FAIL, with what to do. It changes nothing, and the node may run or not. The
    exit status is 1 if a line is FAIL.
    """
    with extra("node"):
        from sayso_node.folder.config import load_config  # noqa: PLC0415

    config = load_config(folder)
    failed = asyncio.run(_examine(config))
    if failed:
        raise NotReady(f"{failed} of the lines above are FAIL")


async def _examine(config: "NodeConfig") -> int:
    """Show all lines as they come; returns how many are FAIL."""
    from sayso_node.batches.http_json import HttpJson  # noqa: PLC0415 - need the node extra
    from sayso_node.clock import SystemClock  # noqa: PLC0415
    from sayso_node.doctor.machine import examine_machine, is_running  # noqa: PLC0415
    from sayso_node.doctor.surroundings import (  # noqa: PLC0415
        examine_chain,
        examine_operators,
        examine_self,
    )

    clock, http = SystemClock(), HttpJson()
    failed = sum([_show(one) for one in examine_machine(config)])
    try:
        failed += sum([_show(one) async for one in examine_chain(config, clock)])
        failed += sum([_show(one) async for one in examine_operators(config, clock, http)])
        if is_running(config.folder):
            failed += sum([_show(one) async for one in examine_self(config)])
    finally:
        await http.close()
    return failed


def _show(one: "Diagnosis") -> bool:
    say(f"{one.level:<4}  {one.subject}: {one.text}")
    if one.advice:
        say(f"      -> {one.advice}")
    return one.level == "FAIL"
