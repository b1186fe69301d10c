"""How well does the twin predict, beside plain baselines?"""
