"""The buyer's side beside the gate: snapshots on disk, receipts verified and compared."""
