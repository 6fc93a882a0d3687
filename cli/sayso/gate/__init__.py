"""The gate before training. Only granted rows pass, and a fault lets no row pass.

    from sayso import Gate

    with Gate(grantee, "train-ai", nodes=["https://north.example"]) as gate:
        result = gate.check(Path("data.parquet"), GateFiles(kept=Path("kept.parquet")))

`Gate.batch` judges a batch of rows; files, adapters and the command use it.
"""
