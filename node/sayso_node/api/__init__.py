"""The HTTP API: what contributors, buyers and operators reach a node by."""
