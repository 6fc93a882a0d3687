"""The registry contract at one address: ABI, bytecode, calls, events, storage slots."""
