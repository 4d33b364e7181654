"""The named queries of the API, one file a noun."""
