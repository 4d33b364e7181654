"""What LLM calls cost, and what may be spent on them."""
