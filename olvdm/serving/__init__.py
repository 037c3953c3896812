"""What a long-running app needs around the model: runs on disk, request guards, temporary files."""
