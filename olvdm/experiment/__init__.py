"""Branches of one base, trained and scored alike: which part of the method does what."""
