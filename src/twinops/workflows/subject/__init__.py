"""What consumers ask under the GDPR: consent, objection, restriction, correction, the copy, and requests as cases."""
