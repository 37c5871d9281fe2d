"""Footage for training: shots found in videos, pairs, and a journal of what was taken."""
