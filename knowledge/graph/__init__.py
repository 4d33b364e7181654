"""The graph: entities, mentions, relations in time, and the links that recall follows."""

from knowledge.graph.catalogue import CentralEntities, Communities, EntityDetail, Graph, MadeEntity, Paths
from knowledge.graph.changes import Change
from knowledge.graph.contradictions import Contradiction, Evidence
from knowledge.graph.entities import Entity
from knowledge.graph.extracting import Ended
from knowledge.graph.extraction import CallEstimate, Extracted, Extraction, FoundRelation, NamedEntity, ShownPassage
from knowledge.graph.extraction_progress import Counts, ExtractionPlan, ExtractionWish
from knowledge.graph.extractions import ExtractionRun, Extractions
from knowledge.graph.neighbours import PassageNeighbour, list_passage_neighbours
from knowledge.graph.overview import MOST_SHOWN, LatticeGraph, LatticeWish, load_lattice
from knowledge.graph.predicates import CARDINALITIES, DEFAULTS, Predicates, spell_predicate
from knowledge.graph.queries import Centrality
from knowledge.graph.relations import Relation, RelationQuery
from knowledge.graph.resonance import MOST, THRESHOLD, Linking, LinkingWish, Resonances
from knowledge.graph.splitting import Split
from knowledge.graph.subgraph import MOST_DEPTH, MOST_NODES, Bounds, Edge, Subgraph
from knowledge.graph.suggestions import Suggestions

__all__ = [
    "CARDINALITIES",
    "DEFAULTS",
    "MOST",
    "MOST_DEPTH",
    "MOST_NODES",
    "MOST_SHOWN",
    "THRESHOLD",
    "Bounds",
    "CallEstimate",
    "CentralEntities",
    "Centrality",
    "Change",
    "Communities",
    "Contradiction",
    "Counts",
    "Edge",
    "Ended",
    "Entity",
    "EntityDetail",
    "Evidence",
    "Extracted",
    "Extraction",
    "ExtractionPlan",
    "ExtractionRun",
    "ExtractionWish",
    "Extractions",
    "FoundRelation",
    "Graph",
    "LatticeGraph",
    "LatticeWish",
    "Linking",
    "LinkingWish",
    "MadeEntity",
    "NamedEntity",
    "PassageNeighbour",
    "Paths",
    "Predicates",
    "Relation",
    "RelationQuery",
    "Resonances",
    "ShownPassage",
    "Split",
    "Subgraph",
    "Suggestions",
    "list_passage_neighbours",
    "load_lattice",
    "spell_predicate",
]
