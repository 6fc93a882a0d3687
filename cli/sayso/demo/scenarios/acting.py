"""What the people of several scenarios do: record clips, and look who has removed what."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from sayso.demo.stage import Stage
from sayso.files import HashedFile, hash_files
from sayso_node.api.schema.traces import TraceJson
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.primitives import address_from_text, address_text
from sayso_protocol.verdicts.verdict import License

DAY_S: Final = 86_400


def own_address(account: LocalAccount) -> bytes:
    """Return the address of an account, 20 bytes."""
    return address_from_text(account.address)


def licensed(envelope: Envelope) -> License:
    """Return the license of a signed consent."""
    return License(as_kind(envelope.message, Consent), envelope.items)


def clips(folder: Path, count: int) -> list[HashedFile]:
    """Write files that differ, and return their item hashes."""
    folder.mkdir(parents=True)
    paths = [folder / f"{number:04}.clip" for number in range(count)]
    for path in paths:
        path.write_text(f"{folder.name}, recording {path.stem}\n")
    return list(hash_files(paths))


async def carried(stage: Stage, revocations: int) -> None:
    """Wait until C has seen bits of so many revocations on chain, where node A carries them."""

    async def seen() -> bool:
        return await stage.counter("C", "chain_revocations") >= revocations

    await stage.until(f"{revocations} revocations are on chain", seen)


async def standings(
    stage: Stage, license_hash: bytes, expected: Mapping[bytes, set[str]]
) -> TraceJson | None:
    """Return the trace once all nodes say the same, and duties of these holders stand as expected."""
    found = await stage.trace(license_hash)
    if found is None:
        return None
    seen = {one.address: {str(duty.standing) for duty in one.duties} for one in found.holders}
    agrees = all(seen.get(address_text(one)) == stands for one, stands in expected.items())
    return found if agrees else None


async def registry_calls(stage: Stage) -> AsyncIterator[Any]:
    """Yield all transactions to the registry since its deployment, as web3 returns them."""
    eth, registry = stage.chain.w3.eth, address_text(stage.trusted.network.registry)
    for number in range(stage.trusted.deploy_block + 1, await eth.block_number + 1):
        block = await eth.get_block(number, full_transactions=True)
        for one in block["transactions"]:
            if one["to"] and one["to"].lower() == registry.lower():
                yield one
