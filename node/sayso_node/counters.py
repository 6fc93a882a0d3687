"""What a node counts. Names are published by /metrics and /v1/node and never change their meaning."""

from collections.abc import Mapping

from sayso_protocol.messages.wire import Topic, all_topics

_CHANNELS = {"gossip": "by gossip", "sync": "by sync", "http": "over HTTP"}
_NAMES = {
    "intake_stored": "messages stored, from anywhere",
    "intake_known": "messages that brought nothing new",
    "intake_pending": "revocations of nothing known here, kept for a while",
    "intake_refused": "messages refused",
    "marks_lost": "revocations this store ever dropped without a mark: who came since is stale",
    "gossip_published": "frames handed to gossip",
    "gossip_unsent": "frames that gossip could not take; sync carries them",
    "sync_rounds": "completed sync rounds, one peer each",
    "sync_failed": "sync rounds that broke off",
    "sync_forged": "times a peer had other messages than its sums said",
    "chain_polls": "completed readings of the chain",
    "chain_failed": "readings of the chain that broke off",
    "chain_failovers": "times another chain endpoint was taken into use",
    "chain_disputes": "times two chain endpoints told different histories",
    "chain_reorgs": "times the followed chain was replaced",
    "chain_revocations": "events that set new bits on chain",
    "chain_anchors": "anchored roots seen on chain",
    "batches_made": "batches this node made for anchoring",
    "batches_fetched": "batches fetched from other operators and verified",
    "anchor_sent": "anchor transactions broadcast, repeats included",
    "relay_sent": "relay transactions broadcast, repeats included",
    "relays_made": "relays of revocations this node made",
    "relayed": "revocations put into relays",
    "relay_rejected": "revocations that the registry refused in a relay",
    "receipts_kept": "transactions that set bits on chain, kept with their proof",
    "receipts_missing": "times no endpoint gave the proof of a block in which a revocation landed",
    "deploy_sent": "transactions that deploy a contract wallet broadcast, repeats included",
    "wallets_deployed": "contract wallets deployed, so that their revocation can be relayed",
    "wallets_not_deployed": "times a contract wallet could not be deployed",
    "transactions_mined": "transactions of this node seen in a block",
    "transactions_replaced": "transactions that were stuck and offered more",
    "payer_failed": "times the chain or the store kept a transaction from being seen through",
    "wallets_asked": "times a contract wallet was asked again about a consent",
    "wallets_silent": "times nobody could tell what it said",
    "statuses": "status answers given",
    "checks": "checks answered",
    "checked_rows": "rows judged",
    "receipts": "receipts signed",
    "acknowledgements": "revocations acknowledged",
    "snapshots": "snapshots and deltas published",
    "snapshots_failed": "snapshots and deltas that could not be made",
    "parts_restarted": "times a part of the node ended by itself and was started again",
    "faults": "peers, answers and rows that this release could not take, each in the log",
}


def arrivals(channel: str, topic: Topic) -> str:
    """The counter of messages of a topic that first arrived by a channel."""
    return f"{channel}_{topic.name}"


def names() -> dict[str, str]:
    """Every counter, and what it counts."""
    arrived = {
        arrivals(channel, topic): f"{topic.name} that first arrived {how}"
        for channel, how in _CHANNELS.items()
        for topic in all_topics()
    }
    return _NAMES | arrived


class Counters:
    """Named counters; an unknown name is a programmer's fault."""

    def __init__(self) -> None:
        self._values = dict.fromkeys(names(), 0)

    def add(self, name: str, count: int = 1) -> None:
        """Count something; raises KeyError for a name that is not declared."""
        self._values[name] += count

    def snapshot(self) -> Mapping[str, int]:
        """All values now."""
        return dict(self._values)
