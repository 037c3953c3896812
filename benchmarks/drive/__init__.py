"""Drive the whole page as a new user would: every state photographed, every wait timed."""
