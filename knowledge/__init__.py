"""Knowledge: documents in, passages and indexes kept, recall out."""

from knowledge.adapters import load_fastembed, load_local
from knowledge.axiom_terms import feed_axiom
from knowledge.calibration import Coefficients, list_features
from knowledge.cases import Case, gather_case
from knowledge.chunking import Chunker
from knowledge.documents import GivenRelation, SourceDocument, parse_document
from knowledge.embedding import Embedder, unit_rows
from knowledge.evaluation import (
    Ablation,
    AskedQuestion,
    Interval,
    bound_recall,
    compare_recall,
    rank_documents,
    split_by_group,
    summarise_recall,
    summarise_recall_by_group,
)
from knowledge.excerpts import Excerpt, read_excerpt
from knowledge.fusion import CHANNELS, FusionWeights
from knowledge.gem_axiom import (
    RECENT_REFLECTIONS,
    Basis,
    GemTerms,
    PassageGroups,
    PassageSample,
    feed_gem,
    group_passages,
    sample_passages,
)
from knowledge.gem_scenario import plan_scenario
from knowledge.happenings import DocumentsStored, PassagesMeasured
from knowledge.ingest import Ingestion, IngestReport
from knowledge.lab import Unfolded, unfold
from knowledge.measuring import measure_passages, use_passages, use_recalled
from knowledge.passage_states import PassageInterference, PassageOrder, PassagePlace, PassageState, PassageStates
from knowledge.query import Filters, Reach, RecallQuery
from knowledge.ranking import PassageScore
from knowledge.recall import Recall
from knowledge.recalled import RecalledPassage
from knowledge.rehearsal import Rehearsal, Rehearsals
from knowledge.resonance import ResonanceCache
from knowledge.shaping.dates import TimePhrase
from knowledge.shaping.expansion import Surroundings
from knowledge.shaping.rerank import Reranker, load_fastembed_reranker
from knowledge.sources import FORMATS, SourceProblem, read_sources
from knowledge.store import Contents, DocumentSummary
from knowledge.tuning import Tuning, read_weights, tune, write_weights

__all__ = [
    "CHANNELS",
    "FORMATS",
    "RECENT_REFLECTIONS",
    "Ablation",
    "AskedQuestion",
    "Basis",
    "Case",
    "Chunker",
    "Coefficients",
    "Contents",
    "DocumentSummary",
    "DocumentsStored",
    "Embedder",
    "Excerpt",
    "Filters",
    "FusionWeights",
    "GemTerms",
    "GivenRelation",
    "IngestReport",
    "Ingestion",
    "Interval",
    "PassageGroups",
    "PassageInterference",
    "PassageOrder",
    "PassagePlace",
    "PassageSample",
    "PassageScore",
    "PassageState",
    "PassageStates",
    "PassagesMeasured",
    "Reach",
    "Recall",
    "RecallQuery",
    "RecalledPassage",
    "Rehearsal",
    "Rehearsals",
    "Reranker",
    "ResonanceCache",
    "SourceDocument",
    "SourceProblem",
    "Surroundings",
    "TimePhrase",
    "Tuning",
    "Unfolded",
    "bound_recall",
    "compare_recall",
    "feed_axiom",
    "feed_gem",
    "gather_case",
    "group_passages",
    "list_features",
    "load_fastembed",
    "load_fastembed_reranker",
    "load_local",
    "measure_passages",
    "parse_document",
    "plan_scenario",
    "rank_documents",
    "read_excerpt",
    "read_sources",
    "read_weights",
    "sample_passages",
    "split_by_group",
    "summarise_recall",
    "summarise_recall_by_group",
    "tune",
    "unfold",
    "unit_rows",
    "use_passages",
    "use_recalled",
    "write_weights",
]
