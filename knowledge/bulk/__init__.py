"""Bulk loads: rows that bring their embeddings, written by COPY; their words and the vector index come afterwards."""
