"""Measurements and rehearsals that are run by hand: nothing here is asserted by a test."""
