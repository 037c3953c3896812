"""The three training stages, their settings, and the loop that runs them."""
