"""Builds the HTTP server of a process with the routes of all subjects."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import NamedTuple, Protocol

from sayso_node.api.http.paging import Pages
from sayso_node.api.http.route import Route
from sayso_node.api.http.server import HttpServer
from sayso_node.api.routes.about import AboutRoutes
from sayso_node.api.routes.checks import CheckRoutes
from sayso_node.api.routes.claims import ClaimRoutes
from sayso_node.api.routes.document import DocumentRoutes
from sayso_node.api.routes.events import EventRoutes
from sayso_node.api.routes.licenses import LicenseRoutes
from sayso_node.api.routes.messages import MessageRoutes
from sayso_node.api.routes.proofs import ProofRoutes
from sayso_node.api.routes.revocations import RevocationRoutes
from sayso_node.api.routes.snapshots import SnapshotRoutes
from sayso_node.api.routes.statements import StatementRoutes
from sayso_node.api.routes.status import StatusRoutes
from sayso_node.api.routes.traces import TraceRoutes
from sayso_node.api.routes.typed_data import TypedDataRoutes
from sayso_node.api.schema.about import NodeJson, OperatorJson
from sayso_node.chain.proofs.storage_proofs import StorageProofs
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.folder.config import NodeConfig
from sayso_node.freshness import Freshness
from sayso_node.gossip.counters import COUNTERS as TRANSPORT_COUNTERS
from sayso_node.gossip.settings import gossip_config
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Forwarder
from sayso_node.interfaces import Clock
from sayso_node.metrics.exposition import Metrics
from sayso_node.metrics.gauges import Gauges, Money
from sayso_node.readiness import Readiness
from sayso_node.serving.connections import NodeConnections
from sayso_node.snapshots.shelf import SnapshotShelf
from sayso_node.sources import Proxies
from sayso_node.store.interface import Store
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters, names
from sayso_node.supervision.supervisor import Supervisor
from sayso_node.verdicts.judge import Judge
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.signer import Signer
from sayso_node.verdicts.status_desk import StatusDesk
from sayso_node.web.page import PageRoutes, listed_names
from sayso_protocol.receipts.json_values import NetworkJson


class _Routes(Protocol):
    def routes(self) -> list[Route]:
        """The routes of a subject."""
        ...


class Served(NamedTuple):
    """The parts of a process that the API answers from.

    Attributes:
        pays: Whether the node pays for transactions, so that acknowledgements queue them.
        shelf: The snapshots; None beside a node.
    """

    config: NodeConfig
    store: Store
    freshness: Freshness
    clock: Clock
    counters: Counters
    alarms: Alarms
    intake: Intake
    forwarder: Forwarder
    connections: NodeConnections
    endpoints: Endpoints
    supervisor: Supervisor
    pays: bool
    money: Callable[[], Money | None]
    shelf: SnapshotShelf | None


class HttpApi:
    """The HTTP server of a process, and what says how the process is."""

    def __init__(self, served: Served) -> None:
        self._served = served
        config, store, freshness, clock, _, alarms = served[:6]
        self.readiness = Readiness(freshness, store, alarms, clock, self.parts_down)
        gauges = Gauges(
            *(config.folder, store, freshness, clock, alarms, self.readiness),
            parts_up=lambda: served.supervisor.up() | dict.fromkeys(self.parts_down(), False),
            money=served.money,
        )
        self._metrics = Metrics(gauges, served.connections, self.counters, _meanings())
        self._events = EventRoutes(config.network_file.network, store, freshness, clock)
        self.licenses = LicenseCache()
        self.server = self._make()

    def counters(self) -> Mapping[str, int]:
        """Return the counters of the process and of the gossip process."""
        gossip = self._served.connections.counters()
        counted = {f"network_{name}": value for name, value in gossip.items()}
        return {**self._served.counters.snapshot(), **counted}

    def status(self) -> str:
        """Return in one line whether the process is ready, or else why not."""
        codes = [one.code for one in self.readiness.reasons()]
        return f"not ready: {', '.join(codes)}" if codes else "ready"

    def parts_down(self) -> list[str]:
        """Return which parts do not run; the gossip process may be stopped, and not dead."""
        silent = ["gossip"] if self._served.connections.is_silent else []
        return sorted({*self._served.supervisor.down(), *silent})

    def _make(self) -> HttpServer:
        settings = self._served.config.settings
        routes = [route for part in self._parts() for route in part.routes()]
        proxies, latency = Proxies(settings.trusted_proxies), self._metrics.latency
        ending = (self._events.close,)
        return HttpServer(*settings.http_address, routes, ending, proxies, latency)

    def _parts(self) -> tuple[_Routes, ...]:
        served = self._served
        config, store, freshness, clock, counters, alarms = served[:6]
        network, identity = config.network_file.network, config.identity
        licenses = self.licenses
        shared = (network, store, freshness, identity, clock, counters)
        signer = Signer(*shared, relays=served.pays, anchors=served.pays)
        judge = Judge(network, store, freshness, clock, counters, licenses)
        pages, finality = Pages(identity), config.network_file.finality
        proofs = StorageProofs(served.endpoints, network.registry)
        about = AboutRoutes(
            *(self._description(), served.connections, freshness, clock, self.counters),
            *(served.connections.listen_addresses, self._metrics.text, alarms),
            *(self.parts_down, self.readiness),
        )
        return (
            MessageRoutes(network, served.intake, served.forwarder, signer),
            TypedDataRoutes(network),
            LicenseRoutes(network, store, freshness, clock, pages, finality=finality),
            ClaimRoutes(network, store, pages),
            RevocationRoutes(network, store, served.forwarder, signer, pages),
            *(one(network, store) for one in (StatementRoutes, TraceRoutes)),
            ProofRoutes(network, store, freshness, proofs),
            self._events,
            CheckRoutes(judge, signer, receipts=config.runs("receipts")),
            StatusRoutes(StatusDesk(*shared, licenses)),
            SnapshotRoutes(served.shelf),
            about,
            DocumentRoutes(version("sayso")),
            PageRoutes(config.other_urls),
        )

    def _description(self) -> NodeJson:
        """The constant part of the answer to GET /v1/node."""
        config = self._served.config
        settings, trusted = config.settings, config.network_file
        return NodeJson(
            name=settings.name,
            version=version("sayso"),
            node_key=config.node_key.hex(),
            peer_id=self._served.connections.peer_id,
            network=NetworkJson.of(trusted.network),
            operators=[OperatorJson.of(one) for one in trusted.operators],
            names=listed_names(trusted.names),
            disabled=list(settings.disabled),
            gossip_replay_window_s=gossip_config(config).replay_window_s,
            time=0,
            block=None,
            listen=[],
            counters={},
        )


def _meanings() -> dict[str, str]:
    """The meaning of every counter of the node and of its gossip process."""
    return names() | {f"network_{name}": text for name, text in TRANSPORT_COUNTERS.items()}
