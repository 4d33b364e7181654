"""The named queries of rewards."""
