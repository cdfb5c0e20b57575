"""What the rendered service costs, next to what else one would take and to the physical limit.

`python -m benchmarks` measures all; the parts are in `parts`, what they measure in `ours` and `peers`.
"""
