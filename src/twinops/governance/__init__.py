"""What we decide: policy, gates, decision and documents. Pure: it reads Evidence and text."""
