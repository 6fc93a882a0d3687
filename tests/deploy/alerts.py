"""For each alert, the series that make it fire: each is false in `HEALTHY`, in which nothing fires.

A value is in promtool's notation: `1x60` is 61 samples of 1, a minute apart; `0+1x60` grows.
"""

from typing import Final

NODE: Final = 'instance="a",job="sayso"'
HTTP: Final = "sayso_http_request_duration_seconds"
HEALTHY: Final = {
    f"up{{{NODE}}}": "1x180",
    f"sayso_ready{{{NODE}}}": "1x180",
    f'sayso_part_up{{part="sync",{NODE}}}': "1x180",
    f'sayso_peers{{state="configured",{NODE}}}': "2x180",
    f'sayso_peers{{state="connected",{NODE}}}': "2x180",
    f'sayso_peer_synced_timestamp_seconds{{peer="b",{NODE}}}': "0+60x180",
    f"sayso_clock_offset_seconds{{{NODE}}}": "-1x180",
    f"sayso_chain_read_age_seconds{{{NODE}}}": "3x180",
    f"sayso_chain_head_age_seconds{{{NODE}}}": "14x180",
    f"sayso_chain_lag_blocks{{{NODE}}}": "1x180",
    f"sayso_disk_free_bytes{{{NODE}}}": "50000000000x180",
    f"sayso_disk_size_bytes{{{NODE}}}": "100000000000x180",
    f"sayso_parts_restarted_total{{{NODE}}}": "3x180",
    f"sayso_network_restarts_total{{{NODE}}}": "3x180",
    f"sayso_faults_total{{{NODE}}}": "3x180",
    f"sayso_marks_merged_total{{{NODE}}}": "0x180",
    f"sayso_budget_left_seconds{{{NODE}}}": "2592000x180",
    f'sayso_queue_length{{queue="relays",{NODE}}}': "5x180",
    f'{HTTP}_bucket{{le="0.1",operation="status",status="2xx",{NODE}}}': "0+600x180",
    f'{HTTP}_bucket{{le="10",operation="status",status="2xx",{NODE}}}': "0+600x180",
    f'{HTTP}_bucket{{le="+Inf",operation="status",status="2xx",{NODE}}}': "0+600x180",
    f'{HTTP}_count{{operation="status",status="5xx",{NODE}}}': "0x180",
    f'{HTTP}_count{{operation="readyz",status="5xx",{NODE}}}': "0+600x180",
    f"process_open_fds{{{NODE}}}": "100x180",
    f"process_max_fds{{{NODE}}}": "8192x180",
}


def alarm(name: str) -> dict[str, str]:
    """The series of an alarm that is active."""
    return {f'sayso_alarm{{name="{name}",{NODE}}}': "1x180"}


GROWS: Final = "0+1x180"
FIRING: Final[dict[str, list[dict[str, str]]]] = {
    "SaysoNodeDown": [{f"up{{{NODE}}}": "0x180"}],
    "SaysoNotReady": [{f"sayso_ready{{{NODE}}}": "0x180"}],
    "SaysoStoreDamaged": [alarm("store-damaged")],
    "SaysoIdentityUsedTwice": [alarm("identity-used-twice")],
    "SaysoStoreUnwritable": [alarm("store-unwritable")],
    "SaysoDiskFull": [
        {f"sayso_disk_free_bytes{{{NODE}}}": "9000000000x180"},
        {
            f"sayso_disk_free_bytes{{{NODE}}}": "900000000x180",
            f"sayso_disk_size_bytes{{{NODE}}}": "1800000000x180",
        },
    ],
    "SaysoChainUnread": [
        {f"sayso_chain_read_age_seconds{{{NODE}}}": "121x180"},
        {f"sayso_chain_head_age_seconds{{{NODE}}}": "601x180"},
    ],
    "SaysoChainBehind": [{f"sayso_chain_lag_blocks{{{NODE}}}": "101x180"}],
    "SaysoChainAlarm": [alarm("chain-endpoint-down"), alarm("registry-missing")],
    "SaysoPeersLost": [{f'sayso_peers{{state="connected",{NODE}}}': "0x180"}],
    "SaysoPeerUnsynced": [{f'sayso_peer_synced_timestamp_seconds{{peer="b",{NODE}}}': "0x180"}],
    "SaysoClockWrong": [
        {f"sayso_clock_offset_seconds{{{NODE}}}": f"{offset}x180"} for offset in (11, -11)
    ],
    "SaysoPartFailing": [
        {f'sayso_part_up{{part="sync",{NODE}}}': "0x180"},
        {f"sayso_parts_restarted_total{{{NODE}}}": GROWS},
    ],
    "SaysoGossipRestarted": [{f"sayso_network_restarts_total{{{NODE}}}": GROWS}],
    "SaysoFaults": [{f"sayso_faults_total{{{NODE}}}": GROWS}],
    "SaysoSnapshotsFailed": [alarm("snapshots-failed")],
    "SaysoMarksMerged": [{f"sayso_marks_merged_total{{{NODE}}}": GROWS}],
    "SaysoPaymentsStopped": [alarm("account-empty"), alarm("relay-rejected")],
    "SaysoWalletsWait": [alarm("wallet-not-deployed")],
    "SaysoMoneyLow": [alarm("account-low"), {f"sayso_budget_left_seconds{{{NODE}}}": "604799x180"}],
    "SaysoQueueLong": [{f'sayso_queue_length{{queue="relays",{NODE}}}': "1001x180"}],
    "SaysoSlow": [{f'{HTTP}_bucket{{le="0.1",operation="status",status="2xx",{NODE}}}': "0+1x180"}],
    "SaysoErrors": [{f'{HTTP}_count{{operation="status",status="5xx",{NODE}}}': "0+60x180"}],
    "SaysoFilesRunOut": [{f"process_open_fds{{{NODE}}}": "8000x180"}],
}
