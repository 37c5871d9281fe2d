"""PyTorch training of the generators; run from a checkout as `python -m training`."""
