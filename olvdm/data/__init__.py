"""Where clips come from: a synthetic world with the truth in it, or a folder of videos."""
