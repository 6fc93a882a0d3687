"""The registry contract for Python: ABI, bytecode, typed calls, events and deployment."""
