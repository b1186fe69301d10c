"""Can an attacker tell who was learned from, or who is in a table?"""
