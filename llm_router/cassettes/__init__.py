"""Exchanges with providers, recorded once and played again without a network."""
