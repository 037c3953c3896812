"""Scores for clips, slots and whole checkpoints, by judges that no loss has seen."""
