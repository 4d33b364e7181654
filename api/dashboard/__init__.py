"""The page that shows how a lattice holds: its files, which speak to the REST API like any other client."""

from api.dashboard.bundle import NEEDED, POLICY, Bundle, StaticFile, read_bundle

__all__ = ["NEEDED", "POLICY", "Bundle", "StaticFile", "read_bundle"]
