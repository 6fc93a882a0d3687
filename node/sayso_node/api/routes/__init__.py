"""The routes, a file a subject: each declares its operations, and answers with values of `schema`."""
