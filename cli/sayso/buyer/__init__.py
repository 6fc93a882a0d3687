"""Functions for buyers beside the gate: snapshots on disk, and the verification of receipts."""
