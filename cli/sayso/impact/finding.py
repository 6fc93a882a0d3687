"""Finds what the ledger needs: revocations in files or from a node; consents and traces from a node."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sayso.contributor.saved_messages import load_bundle
from sayso.errors import BadAnswer, BadList, NodeUnreachable, NotHeld
from sayso.files import opening
from sayso.gate.fetching import AT_ONCE, Fetcher
from sayso.gate.licenses import LicenseBundle
from sayso.holder.hashes import element
from sayso.impact.ledger import Circumstances, Request, Revoked, entry, nothing_found, touched
from sayso.impact.runs import Run
from sayso.node_client.client import NodeClient
from sayso.node_client.following import FIRST, LISTENED, REVOCATION, Event, Gap, Reached, follow
from sayso_node.api.schema.traces import TraceJson
from sayso_protocol.messages.message import of_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import ANYONE, address_text, hash_from_text
from sayso_protocol.signatures.wallets import EoaVerifier

EXEMPT_BYTES: Final = 1 << 24


def revoked_in(paths: Iterable[Path], trusted: NetworkFile, now: float) -> Revoked:
    """Return what signed revocations in files revoke, as heard now.

    Raises:
        FileUnreadable, Malformed: See load_bundle.
        BadSignature, Unsupported: A wallet did not sign, or only the chain can tell.
    """
    found = Revoked()
    for path in paths:
        for envelope, message in of_kind(load_bundle(path, trusted.network), Revocation):
            envelope.check_signatures(EoaVerifier())
            found.add(message.contributor, message.bits, now)
    return found


async def revoked_since(url: str, since: float, holders: Collection[bytes]) -> Revoked:
    """Return what a node learnt since a time, of people whose licenses some addresses hold or sell.

    Raises:
        NodeUnreachable: It does not answer, or may not speak: then what it says may lack revocations.
        BadAnswer: It no longer has all its events, for example after a repair.
    """

    def lost(url: str) -> None:
        raise NodeUnreachable(f"{url} does not answer, or says that it is not ready")

    named = sorted(set(holders) - {ANYONE})
    roles = ("holder", "licensor")
    of = dict.fromkeys(roles, named) if 0 < 2 * len(named) <= LISTENED else None
    found = Revoked()
    async for one in follow(url, FIRST, lost, of):
        if isinstance(one, Gap):
            raise BadAnswer(f"{url} no longer has all events; name the files of revocations instead")
        if isinstance(one, Reached):
            break
        if isinstance(one, Event) and one.name == REVOCATION and one.data["time"] >= since:
            found.add(one.signer, {one.word: one.mask}, one.data["time"])
    return found


async def ledger(
    url: str,
    trusted: NetworkFile,
    runs: Sequence[Run],
    revoked: Revoked,
    at: Circumstances,
    *,
    all_signers: bool,
) -> list[Request]:
    """Return the entries, the earliest due first; raises the errors of NodeClient.

    Args:
        url: The node that is asked for consents and traces.
        trusted: The network file.
        runs: The runs.
        revoked: What was revoked.
        at: See Circumstances.
        all_signers: Whether a signer of whose data nothing is found has an entry, too.
    """
    async with NodeClient(url, trusted) as client:
        fetcher = Fetcher(client)
        await fetcher.fetch(b"".join(run.rows for run in runs))
        licenses = LicenseBundle()
        for envelope in fetcher.found.values():
            licenses.add(envelope)
        found = touched(runs, revoked, licenses.held)
        traces = await _traces(client, found)
    entries, reached = list[Request](), set[bytes]()
    for name, one in found.items():
        held = licenses.held[name]
        signers = revoked.since.keys() & set(held.consent.revokers)
        reached |= signers
        heard = min(revoked.since[who] for who in signers)
        entries.append(entry(name, one, held, heard, traces.get(name), at))
    if all_signers:
        left = revoked.since.keys() - reached
        entries += (nothing_found(who, revoked.since[who]) for who in left)
    entries.sort(key=lambda one: (one.due is None, one.due or 0, one.license, one.contributor))
    return entries


async def _traces(client: NodeClient, names: Iterable[bytes]) -> dict[bytes, TraceJson]:
    turns = asyncio.Semaphore(AT_ONCE)
    found: dict[bytes, TraceJson] = {}

    async def one(name: bytes) -> None:
        async with turns:
            with suppress(NotHeld):
                found[name] = await client.trace(name)

    await asyncio.gather(*map(one, names))
    return found


def circumstances(
    runs: Iterable[Run], holders: Iterable[bytes], exempt: Mapping[bytes, str]
) -> Circumstances:
    """Return the circumstances: our addresses are those that asked in runs, and those named."""
    ours = {run.grantee for run in runs} | {*holders}
    return Circumstances(frozenset(map(address_text, ours - {ANYONE})), exempt, time.time())


def read_exempt(path: Path) -> dict[bytes, str]:
    """Read exemptions, a license hash and a reason on each line; raises BadList."""
    found: dict[bytes, str] = {}
    with opening(path, BadList, forward=True) as file:
        lines = file.read(EXEMPT_BYTES).decode(errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        name, _, reason = line.strip().partition(" ")
        if not name:
            continue
        found[element(hash_from_text, name, f"{str(path)!r}, line {number:,}")] = reason.strip()
        if not reason.strip():
            raise BadList(f"{str(path)!r}, line {number:,}: an exemption needs its reason")
    return found
