"""What a scenario cost: messages, bytes, gas and money, how long each refusal took, and who is late.

Bytes are those of the frames that all nodes heard by gossip. Gas is read from the chain: that of every
transaction to the registry since its deployment, whoever paid.
"""

import asyncio
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sayso.demo.nodes import NAMES
from sayso.demo.scenarios.acting import registry_calls
from sayso.demo.scenarios.removals import Removals, removals
from sayso.demo.stage import Prices, Stage
from sayso_contracts.registry.calls import Calls
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.primitives import address_text


@dataclass(frozen=True)
class Figures:
    """Figures are what a scenario has cost so far.

    Attributes:
        contributors: People who signed a consent.
        licenses: Consents.
        messages: All messages that were handed in.
        gossip_bytes: Bytes that the three nodes heard by gossip, summed.
        gas_per_license: Gas of the anchors, divided by the licenses.
        gas_per_revocation: Gas of relays and of revocations on chain, divided by the revocations.
        prices: At which money is counted.
        refused_s: How long each revocation took until another node refused, seconds.
        removals: Who confirmed the removal of what was taken back, and who did not.
    """

    contributors: int
    licenses: int
    messages: int
    gossip_bytes: int
    gas_per_license: float
    gas_per_revocation: float
    prices: Prices
    refused_s: tuple[float, ...]
    removals: Removals

    def json(self) -> dict[str, Any]:
        """Return the JSON object of `--json`."""
        money = self.prices.dollars
        return {
            "contributors": self.contributors,
            "licenses": self.licenses,
            "messages": self.messages,
            "gossip_bytes": self.gossip_bytes,
            "gas_per_license": round(self.gas_per_license),
            "gas_per_revocation": round(self.gas_per_revocation),
            "dollars_per_license": float(f"{money(self.gas_per_license):.2g}"),
            "dollars_per_revocation": float(f"{money(self.gas_per_revocation):.2g}"),
            "gas_price_gwei": self.prices.gas_gwei,
            "coin_dollars": self.prices.coin_dollars,
            "refused_s": [round(one, 3) for one in self.refused_s],
            "removals": self.removals.json(),
        }

    def lines(self) -> Iterable[tuple[str, str]]:
        """Yield a name and a value for each row of the table that people read."""
        money, prices = self.prices.dollars, self.prices
        yield "contributors", f"{self.contributors:,}"
        yield "licenses", f"{self.licenses:,}"
        yield "messages", f"{self.messages:,}"
        yield "heard by gossip", f"{self.gossip_bytes / 1e6:.2f} MB"
        for name, gas in (("license", self.gas_per_license), ("revocation", self.gas_per_revocation)):
            yield f"a {name} on chain", f"{gas:,.0f} gas, ${money(gas):.2g}"
        yield "at prices of", f"{prices.gas_gwei:g} gwei a gas, ${prices.coin_dollars:,.0f} a coin"
        if self.refused_s:
            middle, longest = statistics.median(self.refused_s), max(self.refused_s)
            yield "signature to refusal", f"{middle:.2f} s, at most {longest:.2f} s"
        yield "removals", self.removals.line()


async def measure(stage: Stage, prices: Prices) -> Figures:
    """Read the figures; raises NodeUnreachable if a node has ended."""
    gas = await _gas(stage)
    people = {one.message.contributor for one in stage.sent if isinstance(one.message, Consent)}
    kinds = Counter(one.message.kind for one in stage.sent)
    heard = await asyncio.gather(*(stage.counter(name, "gossip_heard_bytes") for name in NAMES))
    return Figures(
        contributors=len(people),
        licenses=kinds[CONSENT],
        messages=kinds.total(),
        gossip_bytes=sum(heard),
        gas_per_license=gas[CONSENT] / max(kinds[CONSENT], 1),
        gas_per_revocation=gas[REVOCATION] / max(kinds[REVOCATION], 1),
        prices=prices,
        refused_s=tuple(stage.refused_after),
        removals=await removals(stage),
    )


async def _gas(stage: Stage) -> Counter[int]:
    """Return the gas of all transactions to the registry: anchors, and what carries revocations."""
    calls = Calls(address_text(stage.trusted.network.registry))
    anchors = {calls.anchor(bytes(32)).data[:4], calls.anchor_many([]).data[:4]}
    used = Counter[int]()
    async for one in registry_calls(stage):
        receipt = await stage.chain.w3.eth.get_transaction_receipt(one["hash"])
        kind = CONSENT if bytes(one["input"][:4]) in anchors else REVOCATION
        used[kind] += receipt["gasUsed"]
    return used
