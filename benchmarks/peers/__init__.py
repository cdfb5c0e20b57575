"""What the service is compared with: each library used in the way its own documentation shows."""
