"""The named queries of simulations."""
