"""Who answers: one adapter a wire, each importing its SDK alone, and the answers that need none."""
