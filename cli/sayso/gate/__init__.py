"""The gate before training: no row passes that is not granted, and no fault lets one pass.

    from sayso import Gate

    with Gate(grantee, "train-ai", nodes=["https://north.example"]) as gate:
        result = gate.check(Path("data.parquet"), GateFiles(kept=Path("kept.parquet")))

One function judges a batch of rows; files, adapters and the command are thin around it.
"""
