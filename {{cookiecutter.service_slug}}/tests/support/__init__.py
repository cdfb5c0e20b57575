"""What the tests are written with."""
