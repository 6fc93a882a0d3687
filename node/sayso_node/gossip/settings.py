"""The configuration of the gossip process, from the settings of a node."""

from sayso_node.folder.config import NodeConfig
from sayso_node.gossip.config import GossipConfig
from sayso_node.presence.protocol import PRESENCE_PROTOCOL
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages import wire


def gossip_config(config: NodeConfig) -> GossipConfig:
    """Return the configuration of the gossip process of a node with these settings."""
    network = config.network_file.network
    topics = wire.all_topics() if config.runs("gossip") else []
    return GossipConfig(
        seed=bytes(config.identity),
        listen=config.settings.listen,
        announce=config.settings.announce,
        trusted_proxies=config.settings.trusted_proxies,
        peers=config.peers,
        topics=tuple(one.on(network) for one in topics),
        urgent_topics=tuple(one.on(network) for one in topics if one.is_urgent),
        network=wire.network_name(network),
        discovered_peers=config.settings.discovered_peers,
        protocols=(wire.SYNC_PROTOCOL, wire.BATCH_PROTOCOL, PRESENCE_PROTOCOL),
        max_frame_bytes=LIMITS.frame_bytes,
    )
