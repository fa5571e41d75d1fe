"""Ways of running a graph, one module each."""
