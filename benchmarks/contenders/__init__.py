"""Who is compared by the benchmark of the router: each makes the same call, in a process of its own."""
