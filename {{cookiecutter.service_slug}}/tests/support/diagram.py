"""A Mermaid flowchart of the wiring, as a test reads it."""

import re

import pytest

NODE = re.compile(r"(\w+)(?:\[(\w+)]|\((\w+)\)|\(\[(\w+)]\)|\(\(\((outside)\)\)\))(?::::(\w+))?")
EDGE = re.compile(r"(\w+) (-->|-\.->) (\w+)")
STYLE = re.compile(r"classDef (\w+) fill:#[0-9a-f]{6},color:#000")


class Diagram:
    """What a Mermaid flowchart says; one that is not in the subset we draw is refused."""

    def __init__(self, text: str) -> None:
        first, *lines = text.splitlines()
        assert first == "flowchart LR"
        self.nodes: dict[str, tuple[str, str]] = {}
        self.edges: set[tuple[str, str]] = set()
        self.dotted: set[tuple[str, str]] = set()
        styles = set()
        for line in map(str.strip, lines):
            if node := NODE.fullmatch(line):
                label = next(filter(None, node.groups()[1:5]))
                assert node[1] not in self.nodes, f"{node[1]} is there twice"
                self.nodes[node[1]] = (label, node[6] or "outside")
            elif edge := EDGE.fullmatch(line):
                assert (edge[1], edge[3]) not in self.edges
                self.edges.add((edge[1], edge[3]))
                if edge[2] == "-.->":
                    self.dotted.add((edge[1], edge[3]))
            elif style := STYLE.fullmatch(line):
                styles.add(style[1])
            else:
                pytest.fail(f"not a line that we draw: {line!r}")
        assert {end for edge in self.edges for end in edge} <= set(self.nodes)
        assert {kind for _, kind in self.nodes.values()} - {"outside"} <= styles

    def all(self, kind: str) -> set[str]:
        return {label for label, of in self.nodes.values() if of == kind}

    def workflow(self) -> set[tuple[str, str]]:
        """What leads to what, the handlers left out."""
        handlers = {node for node, (_, kind) in self.nodes.items() if kind == "handler"}
        return {
            (source, target)
            for source, handler in self.edges
            for also, target in self.edges
            if handler == also and handler in handlers
        } | {edge for edge in self.edges if not handlers & set(edge)}
