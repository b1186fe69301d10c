"""What an officer sees and does: queue, dossier, decisions."""
