"""The named queries of spending, one file a noun."""
