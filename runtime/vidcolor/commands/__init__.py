"""The sub-commands of ``vidcolor``: one module each, a dataclass of options with `run()`."""
