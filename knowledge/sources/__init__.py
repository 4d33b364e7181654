"""Files, folders and standard input in; checked documents, and a word on each that cannot be read, out."""

from knowledge.sources.problem import SourceProblem
from knowledge.sources.reading import FORMATS, estimate_rows, read_sources, read_upload

__all__ = ["FORMATS", "SourceProblem", "estimate_rows", "read_sources", "read_upload"]
