"""What happens to knowledge, told once it is committed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassagesMeasured:
    """Passages were used, for a cause as the log has it."""

    cause: str
    passages: int


@dataclass(frozen=True, slots=True)
class DocumentsStored:
    """A batch of an ingestion was written.

    Attributes:
        documents: stored, new and replaced.
        replaced: of those, the ones that took the place of an older text.
        skipped: documents that were stored already as they are.
        passages: that came with the documents.
    """

    documents: int
    replaced: int
    skipped: int
    passages: int
