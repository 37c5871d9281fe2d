"""Measure any bundle of ONNX graphs beside the baselines, on whole clips. Needs no PyTorch."""
