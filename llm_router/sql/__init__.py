"""The named queries of llm_router that belong to none of its parts, one file a noun."""
