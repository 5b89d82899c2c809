"""Measurements, and the complete map of deviations."""
