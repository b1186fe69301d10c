"""What came, what was held back, and what contradicts itself?"""
