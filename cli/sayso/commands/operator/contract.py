"""`sayso contract`: deploy the registry contract, or verify its code."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.commands.asking import confirm
from sayso.commands.lazy import Group
from sayso.commands.options import (
    key_option,
    network_option,
    open_key,
    password_option,
    rpc_option,
    yes_option,
)
from sayso.commands.text import example, say, say_json, warn
from sayso.contributor.onchain import web3_at
from sayso.extras import extra
from sayso.networks import load_network, save_network
from sayso_contracts.clear_signing import clear_signing
from sayso_protocol.errors import WrongNetwork
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text, address_text

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from sayso_contracts.deploy import Deployment

WEI = 10**18


@click.group(cls=Group)
def contract() -> None:
    """Deploy the registry contract, or verify its code."""


@contract.command(
    epilog=example("sayso contract deploy --rpc http://127.0.0.1:8545 --key me.json --write")
)
@rpc_option
@key_option
@password_option
@click.option(
    "--chain-id",
    "expected",
    type=click.IntRange(1),
    metavar="N",
    help="Refuse any other chain.  [default: the chain of the network file, if it exists]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Deploy on a chain that lacks CREATE2's deployer, P-256, EIP-1559 or opcodes of Cancun.",
)
@click.option("--write", is_flag=True, help="Write the network file, or update its deploy block.")
@click.option(
    "--finality",
    type=click.IntRange(0),
    help="The number of blocks until an anchor is final, for a new network file.  [default: by chain]",
)
@network_option
@yes_option
def deploy(
    rpc_url: str,
    key_path: Path,
    password_file: Path | None,
    network_path: Path,
    finality: int | None,
    expected: int | None,
    *,
    force: bool,
    write: bool,
    yes: bool,
) -> None:
    """Deploy the registry, or find the existing one; it has the same address on every chain.

    The registry has no owner, and nobody can change, pause or upgrade it. The key pays the gas; the
    command shows the maximum cost first. It sends nothing to a chain that differs from --chain-id or the
    network file, and nothing to a chain on which a part of Sayso would not work, unless you --force it.
    """
    known = load_network(network_path) if network_path.exists() else None
    account = open_key(key_path, password_file)
    meant = [] if expected is None else [expected]
    meant += [known.network.chain_id] if known else []
    replaced = known if write else None
    network, made, usual = asyncio.run(_deploy(rpc_url, account, meant, replaced, force=force, yes=yes))
    say(f"registry {made.address} on chain {network.chain_id}, since block {made.block_number}")
    if write:
        blocks = usual if finality is None else finality
        file = known or NetworkFile(network, made.block_number, blocks)
        save_network(network_path, replace(file, deploy_block=made.block_number))
        say(f"network file {network_path}")


@contract.command(epilog=example("sayso contract verify --rpc http://127.0.0.1:8545"))
@rpc_option
@network_option
def verify(rpc_url: str, network_path: Path) -> None:
    """Check that the network file's registry holds exactly the code of this release."""
    trusted = load_network(network_path)
    asyncio.run(_verify(rpc_url, trusted.network))
    say(f"{trusted.network}: the registry has the code of this release")


@contract.command(epilog=example("sayso contract descriptor > eip712-sayso.json"))
@network_option
def descriptor(network_path: Path) -> None:
    """Print how a wallet may show every message in words (ERC-7730), for the registry of this network.

    A wallet uses it only after its vendor has listed it for this chain and registry.
    """
    say_json(clear_signing(load_network(network_path).network))


async def _deploy(
    rpc_url: str,
    account: "LocalAccount",
    meant: Iterable[int],
    known: NetworkFile | None,
    *,
    force: bool,
    yes: bool,
) -> "tuple[Network, Deployment, int]":
    """Return network, registry, and the usual number of blocks until a block is final."""
    async with web3_at(rpc_url) as w3:
        with extra("node"):
            from sayso_contracts import deploy, finality, suitability, transactions  # noqa: PLC0415 - node extra
            from sayso_contracts.registry import create2  # noqa: PLC0415

        for chain_id in meant:
            await transactions.check_chain(w3, chain_id)
        network = Network(await _chain_id(w3), address_from_text(create2.registry_address()))
        if known and known.network != network:
            raise WrongNetwork(
                f"the network file is for {known.network}, but the registry would be on {network}"
            )
        missing = await suitability.lacks(w3)
        if not force:
            suitability.refuse(missing)
        for one in missing:
            warn(str(one))
        price = await deploy.cost(w3, account.address)
        say(f"chain {network.chain_id}, at most {price.gas:,} gas, {price.wei / WEI:.6f} coins")
        if price.gas and not yes:
            confirm("Deploy the registry?")
        made = await deploy.deploy(w3, account, expected_chain_id=network.chain_id)
        return network, made, await finality.usual(w3, network.chain_id)


async def _verify(rpc_url: str, network: Network) -> None:
    async with web3_at(rpc_url) as w3:
        with extra("node"):
            from sayso_contracts import deploy, transactions  # noqa: PLC0415 - need the node extra

        await transactions.check_chain(w3, network.chain_id)
        await deploy.verify(w3, address_text(network.registry))


async def _chain_id(w3: Any) -> int:
    from sayso_contracts.rpc import rpc_errors  # noqa: PLC0415 - needs the node extra

    with rpc_errors():
        chain_id: int = await w3.eth.chain_id
    return chain_id
