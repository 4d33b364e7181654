"""The named queries of gems, one file a noun."""
