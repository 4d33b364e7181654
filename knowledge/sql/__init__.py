"""The named queries of knowledge, one file a noun."""
