"""What the tests share: fakes, harnesses, and services to test with."""
