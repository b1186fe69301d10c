"""Have the features moved, and do the first days after an as-of day warn?"""
