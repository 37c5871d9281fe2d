"""The inputs of a step that depend on luma alone: optical flow and the tracks of the keys."""
