"""What is measured of the rendered service: each module a contender, run where the service can be imported."""
