"""The API's values as types, and the declarations of its routes; OpenAPI is derived from both.

`routes` imports `http`, and both import this package. It does not depend on HTTP, store or chain, so
clients can import it as well.
"""
