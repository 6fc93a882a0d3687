"""Builds the chain side of a node: endpoints, follower, contract wallets and the paying account.

endpoints ── follower ── store
    │  ├──── contract wallets, their watch
    │  ├──── archivist ── store
    │  └──── block dates, statement ends ── store
    └─────── payer ── anchorer, relayer, wallet deployer ── store
"""

from collections.abc import Awaitable, Callable, Mapping
from random import SystemRandom

from sayso_node.chain.following.block_dates import BlockDates
from sayso_node.chain.following.follower import Follower
from sayso_node.chain.following.statement_ends import StatementEnds
from sayso_node.chain.paying.anchorer import Anchorer
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.chain.paying.payer import Payer
from sayso_node.chain.paying.relayer import Relayer
from sayso_node.chain.paying.wallet_deployer import WalletDeployer
from sayso_node.chain.paying.web3_account import Web3Account
from sayso_node.chain.proofs.archivist import Archivist
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.eth_call import EthCall
from sayso_node.chain.rpc.registry_watch import RegistryWatch
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_node.chain.wallets.wallet_watch import WalletWatch
from sayso_node.folder.config import NodeConfig
from sayso_node.folder.settings import Settings
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.metrics.gauges import Money
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters


class ChainSide:
    """All parts of a node that use the chain."""

    def __init__(
        self,
        config: NodeConfig,
        store: Store,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
        alarms: Alarms,
        came: Callable[[Writing], None] = lambda _db: None,
        dated_anew: Callable[[], None] = lambda: None,
    ) -> None:
        self._config, self._store = config, store
        self._clock, self._counters, self._alarms = clock, counters, alarms
        settings, network_file = config.settings, config.network_file
        network, finality = network_file.network, network_file.finality
        chains = [Web3Chain(url, network) for url in (settings.rpc, *settings.more_rpcs)]
        self.endpoints = Endpoints(chains, freshness, alarms, counters, finality=finality)
        self._eth_call = EthCall(self.endpoints)
        self.wallets = ContractWallets(self._eth_call)
        self._watch = WalletWatch(
            network, store, self.wallets, freshness, clock, counters, settings.chain_interval_s
        )
        self._follower = Follower(
            self.endpoints,
            store,
            freshness,
            clock,
            counters,
            alarms,
            SystemRandom(),
            registry=network.registry,
            finality=finality,
            deploy_block=network_file.deploy_block,
            interval_s=settings.chain_interval_s,
            came=came,
            dated_anew=dated_anew,
        )
        interval_s = settings.chain_interval_s
        self._archivist = Archivist(
            *(self.endpoints, network.registry, store, clock, counters), interval_s=interval_s
        )
        self._registry = RegistryWatch(lambda: self.endpoints.links, network, freshness, alarms)
        if config.runs("chain"):
            freshness.ask_registry()
        self._allowance = _allowance(settings)
        self._limited: tuple[Relayer | WalletDeployer, ...] = ()
        self._dates = BlockDates(self.endpoints, store, finality, interval_s)
        self._ends = StatementEnds(network, store, interval_s)
        self._payer = self._make_payer()

    def _make_payer(self) -> Payer | None:
        config, settings, network_file = self._config, self._config.settings, self._config.network_file
        if config.anchor_account is None:
            return None
        network, finality = network_file.network, network_file.finality
        shared = (self._store, self._clock, self._counters, self._alarms)
        anchorer = Anchorer(
            self._store, config.node_key, self._clock, self._counters, wait_s=settings.anchor_wait_s
        )
        account = Web3Account(config.anchor_account, network, self.endpoints)
        allowance = self._allowance
        relayer = Relayer(
            *(network, account, *shared),
            wait_s=settings.relay_wait_s,
            finality=finality,
            budget=allowance.budget,
        )
        deployer = WalletDeployer(account, *shared, budget=allowance.budget)
        self._limited = (relayer, deployer)
        return Payer(account, *shared, allowance, (anchorer, relayer, deployer), finality=finality)

    def limit(self, settings: Settings) -> None:
        """Change the spending limits of a node that pays."""
        new = _allowance(settings)
        for name in ("max_fee", "budget", "low"):
            setattr(self._allowance, name, getattr(new, name))
        for one in self._limited:
            one.limit(new.budget)

    @property
    def money(self) -> Money | None:
        """What there is to pay with; None for a node that does not pay."""
        return Money(self._payer.balance, self._allowance.budget) if self._payer else None

    def parts(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Return the parts that run until the node stops, by name."""
        running: dict[str, Callable[[], Awaitable[None]]] = {}
        if self._config.runs("chain"):
            running = {
                "follower": self._follower.run,
                "wallets": self._watch.run,
                "archivist": self._archivist.run,
                "registry watch": self._registry.run,
                "dates": self._dates.run,
                "ends": self._ends.run,
            }
        if self._payer:
            running["payer"] = self._payer.run
        return running

    async def close(self) -> None:
        """Close the connections."""
        await self.endpoints.close()


def _allowance(settings: Settings) -> Allowance:
    return Allowance(
        int(settings.max_fee_gwei * GWEI),
        int(settings.budget_eth_per_day * ETHER),
        int(settings.low_balance_eth * ETHER),
    )
