"""What revocations touch: data sets, runs and customers, as a ledger of data-subject requests."""
