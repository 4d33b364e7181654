"""Files, folders and standard input in; checked documents, and a word on each that cannot be read, out."""

from knowledge.sources.problem import SourceProblem
from knowledge.sources.reading import FORMATS, read_sources

__all__ = ["FORMATS", "SourceProblem", "read_sources"]
