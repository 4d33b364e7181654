"""What two packages need and has no domain word. Its modules are imported one by one; it has no door."""
