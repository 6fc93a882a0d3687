"""The HTTP layer of the API: server, request bodies, content negotiation, errors and paging.

It imports `schema` and not `routes`; a route's operation declares what the layer must know.
"""
