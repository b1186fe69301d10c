"""Whom does the declared decision reach, and whom not?"""
