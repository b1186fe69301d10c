"""How many links are right, and how many are missed?"""
