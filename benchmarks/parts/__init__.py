"""The parts of the benchmarks; each has a `measure` that takes the ground and returns a part of the report."""
