"""What the business refuses."""
