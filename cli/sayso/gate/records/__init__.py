"""The record of a run, its verification and its renderings."""
