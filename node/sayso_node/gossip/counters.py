"""The counters of the gossip process with their descriptions; they only grow."""

from typing import Final

COUNTERS: Final[dict[str, str]] = {
    "restarts": "restarts of the gossip process after it died or hung",
    "frames_received": "frames from peers that the node was asked to judge",
    "frames_accepted": "frames the node accepted; they were forwarded",
    "frames_ignored": "frames the node ignored",
    "frames_rejected": "frames the node rejected; the peer is at fault",
    "frames_failed": "frames whose handler failed; they count as ignored",
    "frames_unjudged": "frames dropped because the node did not answer in time",
    "frames_duplicate": "copies dropped because the frame was being judged",
    "frames_published": "own frames passed to the mesh",
    "frames_refused": "own frames refused because our queue was full",
    "frames_dropped_inbound": "messages of peers dropped because too many came at once",
    "frames_dropped_peer_queue": "messages a peer missed because its queue was full",
    "messages_malformed": "pubsub messages that break a rule of libp2p or Sayso",
    "streams_malformed": "pubsub streams ended for bytes that are not protobuf",
    "streams_failed": "streams ended by an error while they were served",
    "streams_refused": "streams refused because the peer had too many",
    "connections_refused": "inbound connections refused or closed because the address had too many",
    "upgrades_refused": "WebSocket upgrades that were invalid, slow, or from a web page",
    "requests_served": "requests of peers answered",
    "requests_refused": "requests refused because too many were being served",
    "addresses_verified": "addresses from peers that were verified",
    "addresses_refuted": "addresses from peers at which the named peer did not answer",
    "peers_discovered": "connections to discovered peers",
    "peers_cut": "bans of peers for invalid messages",
    "peers_silent": "peers disconnected because they did not answer a ping",
}
