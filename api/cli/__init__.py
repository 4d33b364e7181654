"""The command line: the same use cases as REST, each command thin."""

from api.cli.program import main

__all__ = ["main"]
