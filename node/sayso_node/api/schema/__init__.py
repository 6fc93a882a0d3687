"""The values of the API, as types, and what is said of each route: OpenAPI is derived from both.

`routes` imports `http`, and both import this. Nothing here knows HTTP, a store or a chain, so that
clients may import it, too.
"""
