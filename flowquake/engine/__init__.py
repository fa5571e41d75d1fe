"""The engine: what executes a plan, the same under every mapping."""
