"""The rules of Sayso: pure functions and values, no I/O, clock, randomness or asyncio.

The package implements docs/protocol.md, whose rule numbers its comments cite. Callers pass in times,
keys and a node's knowledge.
"""
