"""Faults: what the engine, the mappings and the command line make of them."""
