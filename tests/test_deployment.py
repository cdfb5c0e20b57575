"""Containers: the Dockerfile is linted, the manifests are what Kubernetes takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from .support import BakedProject

WITH_KUBERNETES = ["zebra", "apple"]
BASE, OVERLAYS = "deploy/kubernetes/base", "deploy/kubernetes/overlays"


def documents(path: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def manifests(project: BakedProject) -> list[dict[str, Any]]:
    """What the base says, in the order of its kustomization."""
    base = project.path / BASE
    (kustomization,) = documents(base / "kustomization.yaml")
    listed = kustomization["resources"]
    assert {f"{name}" for name in listed} == {
        path.name for path in base.iterdir() if path.name != "kustomization.yaml"
    }
    return [each for name in listed for each in documents(base / name)]


def pods(project: BakedProject) -> dict[str, dict[str, Any]]:
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests(project)
        if "template" in each.get("spec", {})
    }


def test_the_dockerfile_is_linted(project: BakedProject) -> None:
    project.run("hadolint", "Dockerfile")


def test_a_defect_in_a_dockerfile_would_be_found(
    baked: dict[str, BakedProject], tmp_path: Path
) -> None:
    text = (baked["defaults"].path / "Dockerfile").read_text()
    (tmp_path / "Dockerfile").write_text(text.replace('"uv>=0.8,<1"', "uv"))
    with pytest.raises(AssertionError, match="DL3013"):
        baked["defaults"].run("hadolint", str(tmp_path / "Dockerfile"))


def test_the_image_is_of_two_stages_runs_as_nobody_and_says_how_it_is(
    project: BakedProject,
) -> None:
    lines = (project.path / "Dockerfile").read_text().splitlines()
    stages = [line for line in lines if line.startswith("FROM ")]
    last = lines[lines.index(stages[-1]) :]
    assert len(stages) == 2
    assert "USER 10001" in last
    assert any(line.startswith("HEALTHCHECK") for line in last)
    assert any("UV_COMPILE_BYTECODE=1" in line for line in lines)
    assert not any("pip install" in line or " uv " in line for line in last)


def test_the_containers_for_local_work_write_nowhere_but_to_their_volume(
    project: BakedProject,
) -> None:
    (composed,) = documents(project.path / "compose.yaml")
    services = composed["services"]
    own = {name: each for name, each in services.items() if "build" in each}
    assert "api" in own
    assert ("worker" in own) == (project.store != "sqlite")
    for service in own.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert {each.partition(":")[0] for each in service["volumes"]} <= set(composed["volumes"])
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    if project.store != "sqlite":
        assert services["worker"]["environment"]["STORE"] == project.store
        assert services["api"]["environment"]["WORKER"] == "external"


@pytest.mark.parametrize("name", WITH_KUBERNETES)
def test_kubernetes_takes_the_manifests(baked: dict[str, BakedProject], name: str) -> None:
    for manifest in manifests(baked[name]):
        kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_kubernetes_would_not_take_what_it_does_not_know(baked: dict[str, BakedProject]) -> None:
    deployment = manifests(baked["apple"])[0]
    deployment["spec"]["replicants"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.31", strict=True)


@pytest.mark.parametrize("name", WITH_KUBERNETES)
def test_pods_are_limited_probed_and_may_do_nothing_more(
    baked: dict[str, BakedProject], name: str
) -> None:
    found = pods(baked[name])
    assert {each.rpartition("-")[2] for each in found} >= {"api", "worker"}
    assert any(each.endswith("-migrate") for each in found) == (baked[name].store == "postgres")
    for pod_name, pod in found.items():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]["limits"]) == {"memory"}
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        if pod_name.endswith("-api"):
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
            assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        else:
            assert ("livenessProbe" in container) == pod_name.endswith("-worker")
    kinds = {each["kind"] for each in manifests(baked[name])}
    assert {
        "HorizontalPodAutoscaler",
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "ServiceAccount",
    } <= kinds


@pytest.mark.parametrize("stage", ["staging", "production"])
@pytest.mark.parametrize("name", WITH_KUBERNETES)
def test_the_overlays_change_what_is_there(
    baked: dict[str, BakedProject], name: str, stage: str
) -> None:
    folder = baked[name].path / OVERLAYS / stage
    (overlay,) = documents(folder / "kustomization.yaml")
    (base,) = documents(baked[name].path / BASE / "kustomization.yaml")
    assert [(folder / each).resolve() for each in overlay["resources"]] == [
        (baked[name].path / BASE).resolve()
    ]
    of_kind = {(each["kind"], each["metadata"]["name"]): each for each in manifests(baked[name])}
    for each in overlay["replicas"]:  # the autoscaler's own are none of the overlay's
        assert "replicas" in of_kind["Deployment", each["name"]]["spec"]
    for patch in overlay["patches"]:
        (target,) = (x for (kind, _), x in of_kind.items() if kind == patch["target"]["kind"])
        for change in yaml.safe_load(patch["patch"]):
            assert change["op"] == "replace"
            assert change["path"].removeprefix("/spec/") in target["spec"]
    images = {pod["containers"][0]["image"] for pod in pods(baked[name]).values()}
    assert {each["name"] for each in overlay["images"]} == images
    generated = {each["name"] for each in base["configMapGenerator"]}
    assert {each["name"] for each in overlay["configMapGenerator"]} == generated


@pytest.mark.parametrize("name", WITH_KUBERNETES)
def test_pods_are_spread_scaled_and_not_all_taken_at_once(
    baked: dict[str, BakedProject], name: str
) -> None:
    found = manifests(baked[name])
    deployed = {each["metadata"]["name"]: each for each in found if each["kind"] == "Deployment"}
    guarded = [each for each in found if each["kind"] == "PodDisruptionBudget"]
    for deployment in deployed.values():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"] == labels
        assert labels in [each["spec"]["selector"]["matchLabels"] for each in guarded]
    (scaled,) = (each for each in found if each["kind"] == "HorizontalPodAutoscaler")
    target = deployed.pop(scaled["spec"]["scaleTargetRef"]["name"])
    assert "replicas" not in target["spec"], "an apply would set back what the autoscaler said"
    assert all(each["spec"]["replicas"] == 2 for each in deployed.values())


@pytest.mark.parametrize("name", WITH_KUBERNETES)
def test_pods_may_ask_the_agent_of_eks_for_their_credentials(
    baked: dict[str, BakedProject], name: str
) -> None:
    (policy,) = (each for each in manifests(baked[name]) if each["kind"] == "NetworkPolicy")
    to = [
        each
        for each in policy["spec"]["egress"]
        if {"protocol": "TCP", "port": 80} in each["ports"]
    ]
    assert [x["ipBlock"]["cidr"] for x in to[0]["to"]] == ["169.254.170.23/32", "fd00:ec2::23/128"]


def test_what_stops_is_started_again(project: BakedProject) -> None:
    (composed,) = documents(project.path / "compose.yaml")
    for name, service in composed["services"].items():
        assert service["restart"] == ("on-failure:10" if name == "store" else "unless-stopped")
    if project.store != "sqlite":
        assert "find /tmp/alive" in service_test(composed["services"]["worker"])
        assert composed["services"]["worker"]["environment"]["ALIVE_FILE"] == "/tmp/alive"


def service_test(service: dict[str, Any]) -> str:
    return " ".join(service["healthcheck"]["test"])


def test_the_base_image_can_be_named_by_its_digest(project: BakedProject) -> None:
    lines = (project.path / "Dockerfile").read_text().splitlines()
    assert "ARG IMAGE=python:${PYTHON}-slim" in lines
    assert [line.split()[1] for line in lines if line.startswith("FROM ")] == 2 * ["${IMAGE}"]
