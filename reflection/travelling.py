"""Which tables of reflections travel with a gem when it is exported."""

from knowledge.keeping import TravellingTable

REFLECTION_TABLES = (
    TravellingTable("reflection", ("created_at", "reflection_id")),
    TravellingTable("reflection_evidence", ("reflection_id", "label")),
    TravellingTable("reflection_attempt", ("reflection_id", "number"), under=("reflection", "reflection_id")),
)
