"""Who signed: wallets, contract wallets and nodes."""
