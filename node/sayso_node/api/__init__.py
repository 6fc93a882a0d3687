"""The HTTP API of a node, for contributors, buyers and operators."""
