"""For users of other engines: their words, on this engine."""
