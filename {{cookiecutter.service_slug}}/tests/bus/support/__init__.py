"""What the tests of the bus share: services to test with, faults, crashes, databases."""
