"""What makes our processes start sooner."""
