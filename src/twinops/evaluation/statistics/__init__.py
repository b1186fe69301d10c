"""Intervals, rankings and suppression that every measurement uses."""
