"""The events of a node's log, each with its meaning, which never changes (docs/reference/log.md).

Programs select lines by the name; people read the meaning, which stands beside it in each line.
"""

from typing import Final

LOG_EVENTS: Final = {
    # the process
    "node-started": "the node answers requests",
    "node-stopping": "the node shuts down in order",
    "ready-unwritten": "the line that says that the node is ready could not be written",
    "settings-unread": "SIGHUP: node.toml is not read again",
    "limits-read": "the limits in node.toml were read again",
    "settings-later": "these settings were changed for the next start only",
    "library": "a line of a library",
    # supervision
    "alarm-started": "an alarm has begun",
    "alarm-ended": "an alarm is over",
    "part-failed": "a part of the node has ended by itself",
    "item-failed": "one peer, answer or row caused a fault, and was skipped",
    "request-failed": "an unexpected error in a request over HTTP",
    "event-stream-failed": "an unexpected error in a stream of events",
    "http-invalid": "a client sent what is no HTTP",
    # store
    "store-unread": "the store could not be read",
    "view-untold": "the processes beside this node could not be told what it sees",
    "node-unheard": "what the node sees could not be read, beside which this process runs",
    "outbox-unsent": "messages of processes beside this node are not sent yet",
    "marks-merged": "there is no room for marks (rule 7.15): some addresses stay stale at first",
    "snapshot-failed": "no snapshot could be made",
    "store-older": "the store is older than the last start: it is taken for a restored one",
    "clock-set-back": "this machine's clock was ahead; what the store dated ahead is dated anew",
    # chain
    "chain-unread": "the chain could not be read",
    "endpoint-changed": "the chain is read from another endpoint",
    "logs-late": "the endpoint gave logs late",
    "logs-left-out": "the logs of a block lacked events, which its transaction receipts have",
    "events-unproved": "the events of a block are not proved",
    "events-lost": "the store had lost what blocks revoked or anchored",
    "receipts-unstored": "transaction receipts could not be stored",
    "receipts-unproved": "there is no proof of the revocations in a block",
    "ends-unstored": "statements whose time is over could not be removed",
    "dates-unstored": "the dates of blocks could not be stored",
    "wallet-answers-unstored": "answers of contract wallets could not be stored",
    # paying
    "payer-failed": "sending or watching a transaction failed for now",
    "transaction-smaller": "a transaction is made smaller",
    "transaction-reverted": "a transaction would be reverted, and is given up",
    "transaction-dropped": "a reorganisation dropped a transaction",
    "relay-unread": "an event of this node's own relay cannot be read",
    # peers
    "gossip-ended": "the gossip process ended, and is started again",
    "gossip-silent": "the gossip process does not answer",
    "gossip-unstarted": "the gossip process does not start",
    "frame-failed": "judging a frame failed",
    "frame-unsent": "a frame could not be sent; sync transfers its messages",
    "peer-unheard": "taking note of a peer that came or went failed",
    "channel-closed": "the channel to the gossip process is closed",
    "call-failed": "serving a call of the other process failed",
    "peers-unasked": "a peer did not name other peers",
    "address-refuted": "the named peer does not answer at an address",
    "address-invalid": "a peer named an invalid address",
    "peer-unconnected": "no connection to a discovered peer",
    "dial-failed": "an address cannot be dialled",
    "ping-failed": "a peer does not answer a ping",
    "name-unresolved": "a name has no address",
    "peers-replaced": "the file of known peers cannot be read, and is replaced",
    "peers-unwritten": "the file of known peers cannot be written",
    "message-bad": "a peer sent a bad message",
    "stream-bad": "a peer sent a bad stream",
    "stream-failed": "serving a stream of a peer failed",
    "inbound-failed": "an inbound connection was not completed",
    # sync and batches
    "heed-unsaid": "a peer does not say whom it heeds",
    "sync-broken-off": "a round of sync broke off",
    "sums-forged": "a peer has other messages than its sums state",
    "batches-unstored": "batches could not be stored",
    "batch-missing": "a source does not have a batch",
}
