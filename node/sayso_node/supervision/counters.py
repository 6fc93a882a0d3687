"""Counters of a node, published by /metrics and /v1/node; the meaning of a name never changes."""

from collections.abc import Mapping

from sayso_protocol.messages.wire import Topic, all_topics

_CHANNELS = {"gossip": "by gossip", "sync": "by sync", "http": "over HTTP"}
_NAMES = {
    "intake_stored": "messages stored, from any source",
    "intake_known": "messages that brought nothing new",
    "intake_pending": "revocations made pending, because they concern no known consent",
    "intake_refused": "messages refused",
    "marks_merged": "marks of dropped revocations that were merged: some new addresses stay stale",
    "gossip_published": "frames handed to gossip",
    "gossip_heard_bytes": "bytes of the frames heard by gossip",
    "gossip_unsent": "frames that gossip could not take; sync transfers them",
    "sync_rounds": "completed sync rounds, each with one peer",
    "sync_failed": "sync rounds that failed",
    "sync_forged": "times a peer had other messages than its sums stated",
    "chain_polls": "completed readings of the chain",
    "chain_failed": "readings of the chain that failed",
    "chain_failovers": "times the node switched to another chain endpoint",
    "chain_disputes": "times two chain endpoints disagreed",
    "chain_reorgs": "times the followed chain was replaced",
    "chain_revocations": "events that set new bits on chain",
    "chain_anchors": "anchored roots seen on chain",
    "chain_endorsements": "endorsed statements seen on chain",
    "chain_late_logs": "passes over old blocks that found logs which came late",
    "chain_headers_tested": "block headers tested for events that logs left out",
    "chain_logs_left_out": "blocks whose transaction receipts had events that their logs left out",
    "batches_made": "batches this node made for anchoring",
    "batches_fetched": "batches fetched from other operators and verified",
    "anchor_sent": "anchor transactions broadcast, repeats included",
    "relay_sent": "relay transactions broadcast, repeats included",
    "relays_made": "relays of revocations this node made",
    "relayed": "revocations put into relays",
    "relay_rejected": "revocations that the registry refused in a relay",
    "receipts_kept": "transactions that set bits on chain, stored with their proof",
    "receipts_missing": "times no endpoint gave the proofs for a block with a revocation",
    "deploy_sent": "transactions that deploy a contract wallet broadcast, repeats included",
    "wallets_deployed": "contract wallets deployed, so that their revocation can be relayed",
    "wallets_not_deployed": "times a contract wallet could not be deployed",
    "transactions_mined": "transactions of this node seen in a block",
    "transactions_replaced": "stuck transactions replaced at a higher price",
    "payer_failed": "times sending or watching a transaction failed because of chain or store",
    "wallets_asked": "times a contract wallet was asked again about a consent",
    "wallets_silent": "times it gave no answer when asked again",
    "statuses": "status answers given",
    "checks": "checks answered",
    "checked_rows": "rows judged",
    "receipts": "receipts signed",
    "acknowledgements": "revocations acknowledged",
    "snapshots": "snapshots and deltas published",
    "snapshots_failed": "failed attempts to make a snapshot or delta",
    "store_repairs": "findings of damage in the store that were repaired",
    "parts_restarted": "restarts of a part of the node that ended by itself",
    "faults": "unexpected errors caused by a peer, answer or row, each in the log",
}


def arrivals(channel: str, topic: Topic) -> str:
    """The counter of messages of a topic that first arrived by a channel."""
    return f"{channel}_{topic.name}"


def names() -> dict[str, str]:
    """Return every counter with its description."""
    arrived = {
        arrivals(channel, topic): f"{topic.name} that first arrived {how}"
        for channel, how in _CHANNELS.items()
        for topic in all_topics()
    }
    return _NAMES | arrived


class Counters:
    """The counters of a node; an unknown name is a programming error."""

    def __init__(self) -> None:
        self._values = dict.fromkeys(names(), 0)

    def add(self, name: str, count: int = 1) -> None:
        """Add to a counter; raises KeyError for an unknown name."""
        self._values[name] += count

    def snapshot(self) -> Mapping[str, int]:
        """Return the current values."""
        return dict(self._values)
