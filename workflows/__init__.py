"""Ready graphs, one module each."""
