"""Pictures of clips, slots and their correlation, made from plain arrays."""
