"""What persons are selected and searched by: each criterion is defined here, and only here."""
