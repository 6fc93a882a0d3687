"""Examines what a node asks: the chain's endpoints, the other operators, and the clock against both."""

from collections.abc import AsyncIterator, Sequence
from math import isfinite
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from sayso_contracts.registry.artifact import runtime_code
from sayso_contracts.registry.events import log_filter
from sayso_contracts.rpc import quantity_from_text
from sayso_node.batches.http_json import DOCUMENT_BYTES, TIMEOUT_S, HttpJson
from sayso_node.chain.following.follower import RANGE_BLOCKS
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.doctor.diagnosis import Diagnosis, fail, ok, warn
from sayso_node.errors import ChainUnreachable
from sayso_node.folder.addresses import url_here
from sayso_node.folder.config import NodeConfig
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.interfaces import Clock
from sayso_protocol.errors import SaysoError
from sayso_protocol.network_file import Operator
from sayso_protocol.primitives import address_text
from sayso_protocol.redaction import shown_url

CLOCK_OFF_S: Final = 60.0
HEAD_OLD_S: Final = 120.0


class ReasonLine(msgspec.Struct):
    """A reason in the answer of `/readyz`."""

    code: str
    text: str


class Unready(msgspec.Struct):
    """What matters of the answer of `/readyz`."""

    reasons: list[ReasonLine]
    alarms: list[str]


class Head(NamedTuple):
    """What an endpoint has: its name, the newest block's number and time, and an old block's hash."""

    name: str
    number: int
    time: float
    settled: str


async def examine_chain(config: NodeConfig, clock: Clock) -> AsyncIterator[Diagnosis]:
    """Yield what is found about each endpoint, and whether they agree."""
    settings, network = config.settings, config.network_file.network
    heads = list[Head]()
    for url in (settings.rpc, *settings.more_rpcs):
        link = JsonRpc(url)
        try:
            chain_id = int(_result(await link.ask("eth_chainId", [])), 16)
            if chain_id != network.chain_id:
                text = f"{link.name} is of chain {chain_id}, not {network.chain_id}"
                yield fail("endpoint", text, "set rpc to an endpoint of the network file's chain")
                continue
            yield await _registry(link, network.registry)
            head = await _head(link, config.network_file.finality)
            heads.append(head)
            yield _age(head, clock.now())
            yield await _range(link, config, head.number)
        except (ChainUnreachable, ValueError, TypeError, KeyError) as error:
            yield fail("endpoint", f"{link.name}: {error}", "check rpc and the network behind it")
        finally:
            await link.close()
    if len(heads) > 1:
        yield _agree(heads)
    elif len(settings.more_rpcs) == 0:
        text = "there is one endpoint, and nothing checks what it says"
        yield warn("endpoint", text, "add others as more_rpcs")


async def examine_operators(
    config: NodeConfig, clock: Clock, http: HttpJson
) -> AsyncIterator[Diagnosis]:
    """Yield what the other operators' nodes say: network and time, and whether they dial this one."""
    others = [one for one in config.network_file.operators if one.url and one.key != config.node_key]
    if not others:
        advice = "other operators' entries come with their network file"
        yield warn("peers", "the network file names no other operator with a URL", advice)
        return
    offsets, dialled = list[float](), list[str]()
    own = peer_id_of(config.node_key)
    for one in others:
        try:
            about = await http.get(f"{one.url}/v1/node")
            yield _operator(one, about, config)
            offsets.append(_finite(clock.now() - float(about["time"])))
            peers = (await http.get(f"{one.url}/v1/peers"))["peers"]
            mine = [peer for peer in peers if peer["peer_id"] == own and peer["connected"]]
            dialled += [str(peer["address"]) for peer in mine]
        except (SaysoError, OSError, ValueError, TypeError, KeyError) as error:
            yield warn("peers", f"{one.name} at {shown_url(one.url)}: {error}", "ask its operator")
    if offsets:
        yield _clock(median(offsets))
    if found := [one for one in dialled if one]:
        yield ok("dialable", f"a peer has dialled {found[0]}")
    elif dialled:
        text = "peers are connected because this node dialled them; none has dialled it"
        advice = "check announce, the firewall and the router; from outside: nc -vz HOST PORT"
        yield warn("dialable", text, advice)
    else:
        text = "no peer that was asked is connected to this node"
        yield warn("dialable", text, "start the node, and ask again when it has run for a minute")


async def _registry(link: JsonRpc, registry: bytes) -> Diagnosis:
    code = _result(await link.ask("eth_getCode", [address_text(registry), "latest"]))
    if code in ("0x", "0x0"):
        text = f"{link.name} has no code at {address_text(registry)}"
        return fail("registry", text, "the network file or the endpoint is wrong: sayso contract verify")
    if bytes.fromhex(code[2:]) != runtime_code():
        text = f"the code at {address_text(registry)} is not that of this release"
        return fail("registry", text, "do not trust this network file: sayso contract verify")
    return ok("registry", f"{link.name} has the registry with the code of this release")


async def _head(link: JsonRpc, finality: int) -> Head:
    block = _object(await link.ask("eth_getBlockByNumber", ["latest", False]))
    number = quantity_from_text(block["number"])
    settled = max(number - finality, 0)
    old = _object(await link.ask("eth_getBlockByNumber", [hex(settled), False]))
    time = float(quantity_from_text(block["timestamp"]))
    return Head(link.name, number, time, f"{settled} {old['hash']}")


def _age(head: Head, now: float) -> Diagnosis:
    age = now - head.time
    text = f"{head.name}: block {head.number:,}, {age:.0f} s old"
    if age < -CLOCK_OFF_S:
        return fail("clock", f"{text}: this clock is behind", "set the clock: run an NTP client")
    if age > HEAD_OLD_S:
        advice = "the endpoint lags, or this machine's clock is ahead: run an NTP client"
        return fail("endpoint", text, advice)
    return ok("endpoint", text)


async def _range(link: JsonRpc, config: NodeConfig, newest: int) -> Diagnosis:
    """Whether the widest range that the node asks for is answered."""
    first = max(newest - RANGE_BLOCKS + 1, 0)
    question = log_filter(config.network_file.network.registry, first, newest)
    answer = await link.ask("eth_getLogs", [question])
    if isinstance(answer.get("result"), list):
        return ok("endpoint", f"{link.name} gives logs of {newest - first + 1:,} blocks at once")
    text = f"{link.name} refuses logs of {newest - first + 1:,} blocks at once"
    return warn("endpoint", text, "the node asks for fewer; a first start takes longer")


def _agree(heads: Sequence[Head]) -> Diagnosis:
    settled = {one.settled.split()[0]: set[str]() for one in heads}
    for one in heads:
        settled[one.settled.split()[0]].add(one.settled)
    if any(len(found) > 1 for found in settled.values()):
        text = "the endpoints disagree about a final block"
        return fail("endpoint", text, "one of them lies or is on a fork: replace it")
    return ok("endpoint", f"{len(heads)} endpoints, and none contradicts another")


def _operator(one: Operator, about: dict[str, Any], config: NodeConfig) -> Diagnosis:
    network = config.network_file.network
    if about["node_key"] != one.key.hex():
        text = f"{one.name} answers with another key than the network file has"
        return fail("peers", text, "ask its operator over another channel before you trust it")
    served = about["network"]["chain_id"], about["network"]["registry"]
    if served != (network.chain_id, address_text(network.registry)):
        return fail("peers", f"{one.name} serves another network", "compare your network files")
    return ok("peers", f"{one.name} answers, version {about['version'][:40]}")


def _clock(offset: float) -> Diagnosis:
    side = "ahead of" if offset > 0 else "behind"
    text = f"{abs(offset):.0f} s {side} the other operators"
    if abs(offset) > CLOCK_OFF_S:
        return fail("clock", text, "set the clock: run an NTP client")
    return ok("clock", text)


def _finite(seconds: float) -> float:
    if not isfinite(seconds):
        raise ValueError("its clock is no number")
    return seconds


def _result(answer: dict[str, Any]) -> str:
    result = answer.get("result")
    if not isinstance(result, str) or not result.startswith("0x"):
        raise ChainUnreachable(f"it answers {str(answer.get('error'))[:100]!r}")
    return result


def _object(answer: dict[str, Any]) -> dict[str, Any]:
    result = answer.get("result")
    if not isinstance(result, dict):
        raise ChainUnreachable(f"it answers {str(answer.get('error'))[:100]!r}")
    return result


async def examine_self(config: NodeConfig) -> AsyncIterator[Diagnosis]:
    """Yield why the node that runs in this folder is not ready."""
    url = f"{url_here(config.settings)}/readyz"
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=TIMEOUT_S)) as http,
            http.get(url, allow_redirects=False) as answer,
        ):
            text = b""
            while len(text) < DOCUMENT_BYTES and (part := await answer.content.read(DOCUMENT_BYTES)):
                text += part
        ready = msgspec.json.decode(text, type=Unready)
    except (ClientError, OSError, TimeoutError, ValueError) as error:
        yield fail("node", f"it runs, and does not answer at {url}: {error}", "see its log")
        return
    for one in ready.reasons:
        yield fail("node", f"{one.code}: {one.text}", "see the guide for operators")
    for name in ready.alarms:
        yield warn("node", f"the alarm {name} is active", "see the guide for operators")
    if not ready.reasons:
        yield ok("node", "it runs and is ready")
