"""Rows that were held back: listed, shown, replayed, expired."""
