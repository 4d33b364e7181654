"""Which tables of reflections travel with a gem when it is exported, and which follow a document into another gem."""

from knowledge.keeping import TravellingTable

REFLECTION_TABLES = (
    TravellingTable("reflection", ("created_at", "reflection_id")),
    # what was reached in another gem stays behind: its document is there, and so is what an import would refer to
    TravellingTable("reflection_evidence", ("reflection_id", "label"), beside=("reflection", "reflection_id")),
    TravellingTable("reflection_attempt", ("reflection_id", "number"), under=("reflection", "reflection_id")),
)
FOLLOWING_TABLES = ("reflection_evidence",)
