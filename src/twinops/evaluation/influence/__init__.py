"""Who would be contacted how often, and is a vulnerable group contacted more?"""
