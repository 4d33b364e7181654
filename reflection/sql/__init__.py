"""The named queries of reflections."""
