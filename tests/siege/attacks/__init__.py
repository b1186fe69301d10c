"""The shelf of attacks: each file is a group or two, each function one way round."""
