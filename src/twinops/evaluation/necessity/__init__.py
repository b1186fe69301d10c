"""Does the twin need this attribute, this source, this long?"""
