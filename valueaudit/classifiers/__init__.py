"""Ways of looking at a transcript: one file each, behind the protocol `ports.Classifier`."""
