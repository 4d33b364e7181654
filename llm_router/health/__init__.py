"""How targets fare: breakers, latencies, busy counters, and the budget of extra calls."""
