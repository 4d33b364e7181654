"""Knowledge: documents in, passages and indexes kept, recall out."""

from knowledge.adapters import load_fastembed, load_local
from knowledge.axiom_terms import feed_axiom
from knowledge.chunking import Chunker
from knowledge.documents import GivenRelation, SourceDocument, parse_document
from knowledge.embedding import Embedder, unit_rows
from knowledge.evaluation import AskedQuestion, rank_documents, summarise_recall, summarise_recall_by_group
from knowledge.fusion import FusionWeights
from knowledge.graph.tables import EntityNameRow, EntityRow, MentionRow, RelationRow
from knowledge.ingest import Ingestion, IngestReport
from knowledge.query import Filters, RecallQuery
from knowledge.ranking import PassageScore
from knowledge.recall import Recall, RecalledPassage, measure_passages
from knowledge.sources import SourceProblem, read_sources
from knowledge.store import Contents, DocumentSummary
from knowledge.tables import DocumentRow, PassageRow, PostingRow, SegmentRow, TokensRow

__all__ = [
    "AskedQuestion",
    "Chunker",
    "Contents",
    "DocumentRow",
    "DocumentSummary",
    "Embedder",
    "EntityNameRow",
    "EntityRow",
    "Filters",
    "FusionWeights",
    "GivenRelation",
    "IngestReport",
    "Ingestion",
    "MentionRow",
    "PassageRow",
    "PassageScore",
    "PostingRow",
    "Recall",
    "RecallQuery",
    "RecalledPassage",
    "RelationRow",
    "SegmentRow",
    "SourceDocument",
    "SourceProblem",
    "TokensRow",
    "feed_axiom",
    "load_fastembed",
    "load_local",
    "measure_passages",
    "parse_document",
    "rank_documents",
    "read_sources",
    "summarise_recall",
    "summarise_recall_by_group",
    "unit_rows",
]
