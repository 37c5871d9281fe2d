"""Checkpoint in, ONNX bundle out; run from a checkout as `python -m export`."""
