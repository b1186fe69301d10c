"""Lines of receipts: which count, which stand twice, and what came back."""
