"""`sayso node verify-store`: whether a node's store is what the node wrote."""

from pathlib import Path

import click

from sayso.commands.options import PATH
from sayso.commands.text import example, say
from sayso.extras import extra


@click.command(epilog=example("sayso node verify-store ./node"))
@click.argument("folder", type=PATH)
def verify_store(folder: Path) -> None:
    """Recompute everything in the store of the node in FOLDER from its messages.

    It changes nothing in the store, and the node may run meanwhile. The exit status is 1 if something is
    damaged; the node is then silent from its next start on, until it has repaired that.
    """
    with extra("node"):
        from sayso_node.config import load_config  # noqa: PLC0415
        from sayso_node.errors import StoreDamaged, StoreMissing  # noqa: PLC0415
        from sayso_node.store.integrity.verifying import AuditOrder, verify  # noqa: PLC0415
        from sayso_node.store.opening import damage_of, is_empty, location_in  # noqa: PLC0415

    network = load_config(folder).network_file.network
    location = location_in(folder)
    if is_empty(location):
        raise StoreMissing(f"there is no store in {folder}")
    findings = verify(AuditOrder(location, network))
    for one in findings:
        say(f"{one.kind}: {one.text}")
    if findings:
        damage_of(location).report(findings[0].text)
        raise StoreDamaged(f"{len(findings)} findings in {location}")
    say(f"the store {location} is what the node wrote")
