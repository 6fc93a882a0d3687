"""What the gossip process counts, and what each number means. All of them only grow."""

from typing import Final

COUNTERS: Final[dict[str, str]] = {
    "restarts": "times the gossip process died or hung and was started anew",
    "frames_received": "frames of peers put to the node",
    "frames_accepted": "frames the node accepted; they were forwarded",
    "frames_ignored": "frames the node ignored",
    "frames_rejected": "frames the node rejected; the peer is to blame",
    "frames_failed": "frames whose handler failed; taken as ignored",
    "frames_unjudged": "frames dropped because the node did not answer in time",
    "frames_duplicate": "copies that came while the frame was being judged; dropped",
    "frames_published": "own frames handed to the mesh",
    "frames_refused": "own frames refused because our queue was full",
    "frames_dropped_inbound": "messages of peers dropped because too many came at once",
    "frames_dropped_peer_queue": "messages a peer missed because its queue was full",
    "messages_malformed": "pubsub messages that break a rule of libp2p or of ours",
    "streams_malformed": "pubsub streams ended for bytes that are not protobuf",
    "streams_failed": "streams ended by an error while they were served",
    "streams_refused": "streams refused because the peer had too many",
    "connections_refused": "inbound connections refused because the address had too many",
    "upgrades_refused": "upgrades to WebSocket that were none, were slow, or came from a web page",
    "requests_served": "requests of peers answered",
    "requests_refused": "requests refused because too many were being served",
    "addresses_verified": "addresses told by peers at which the peer was met",
    "addresses_refuted": "addresses told by peers at which nobody, or somebody else, was met",
    "peers_discovered": "connections made to peers that nobody listed",
    "peers_cut": "peers cut off for a while for what they sent",
    "peers_silent": "peers hung up on because they did not answer a ping",
}
