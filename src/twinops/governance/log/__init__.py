"""The audit log, and what can be proved from it without the server."""
