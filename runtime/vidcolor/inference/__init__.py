"""Models: the contract, bundles of ONNX graphs, and sessions that run them on a provider."""
