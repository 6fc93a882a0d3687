"""The tour: `sayso demo` without a scenario."""
