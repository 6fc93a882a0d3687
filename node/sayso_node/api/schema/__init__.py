"""The values of the API, described: OpenAPI and JSON Schema."""
