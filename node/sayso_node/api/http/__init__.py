"""HTTP itself: the server, bodies, negotiation, errors, pages.

It imports `schema` and not `routes`: what a route needs, its operation declares.
"""
