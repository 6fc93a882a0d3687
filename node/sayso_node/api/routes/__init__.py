"""The routes, one file per subject: each declares its operations and answers with `schema` values."""
