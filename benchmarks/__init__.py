"""What the service costs, measured beside what it could at best cost."""
