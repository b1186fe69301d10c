"""What a service that answers for every twin stands on: everybody in memory, up to date."""
