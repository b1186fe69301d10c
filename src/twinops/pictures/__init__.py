"""Matplotlib's home: one file per picture, used by notebooks, cards and pages."""
