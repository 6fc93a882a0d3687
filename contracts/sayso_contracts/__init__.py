"""The registry contract for Python: its ABI and bytecode, typed calls, decoded events, deployment."""
