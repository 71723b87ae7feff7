"""From the theorem's Gaussian to distilled text, one thing changed a rung (`kdshift ladder`)."""
