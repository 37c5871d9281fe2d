"""How fast vidcolor is, measured side by side in one run: ``python -m benchmarks``."""
