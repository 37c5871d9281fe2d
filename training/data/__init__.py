"""What training learns from: clips, scenes, rollouts, and the footage they are prepared from."""
