"""Do fused values and their intervals hold against known answers?"""
