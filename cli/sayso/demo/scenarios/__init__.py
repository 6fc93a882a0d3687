"""The scenarios of `sayso demo --scenario`: three marketplaces, each end to end."""
