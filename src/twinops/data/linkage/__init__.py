"""Which records of several sources are one person: normalise, block, train, score, resolve, explain."""
