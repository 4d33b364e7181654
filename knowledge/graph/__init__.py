"""The graph: entities, mentions, relations in time, and the links that recall follows."""
