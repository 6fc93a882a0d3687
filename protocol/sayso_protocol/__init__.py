"""The rules of Sayso: pure functions and values, no I/O, clock, randomness or asyncio.

Everything that every implementation must agree on stands here and in docs/protocol.md, under the
same rule numbers. Times, keys and what a node knows are passed in.
"""
