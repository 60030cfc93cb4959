"""The action download-url: create the medium's schematic, then get the image's URL from the factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import Problem, Resource, Role, SpecSchema
from omni_gateway.sdk.actions import Action, DryRunResult
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import Overlay, enums, types
from resources.installationmedia.adapter import CATALOGUE, InstallationMediaAdapter, names_of
from resources.installationmedia.schemas import MediaBootloader

ISO, DISK, PXE = "iso", "disk", "pxe"
_TUNNELS = {
    enums.GrpcTunnelMode.UNSET: "AUTO",
    enums.GrpcTunnelMode.ENABLED: "ENABLED",
    enums.GrpcTunnelMode.DISABLED: "DISABLED",
}


class DownloadURLActionSchema(SpecSchema):
    """Version and kind of the image."""

    body_optional = True

    talos_version = fields.String(
        metadata={
            "description": "Required for entries of the catalogue; a configuration has its own",
            "example": "1.13.7",
        }
    )
    kind = fields.String(
        validate=validate.OneOf((ISO, DISK, PXE)),
        metadata={"description": "Left out: an ISO for metal, a disk image for the rest", "example": "iso"},
    )


class DownloadURLSchema(SpecSchema):
    """URL of the image."""

    url = fields.String(
        metadata={
            "description": "URL of the image at the image factory",
            "example": "https://factory.talos.dev/image/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba/v1.13.7/metal-amd64.iso",
        }
    )
    headers = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Headers to send with the request",
            "additionalProperties": {"type": "string"},
            "example": {},
        },
    )
    schematic_id = fields.String(
        metadata={
            "description": "Id of the schematic that Omni stored for the image",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    talos_version = fields.String(
        metadata={"description": "Talos version of the image, without a leading `v`", "example": "1.13.7"}
    )
    kind = fields.String(metadata={"description": "What the URL leads to", "example": "iso", "enum": [ISO, DISK, PXE]})


def download_url(
    adapter: InstallationMediaAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Mapping[str, Any] | DryRunResult:
    """Create the schematic (the same content has the same id) and return the image's URL; 422 for a wrong version."""
    medium = adapter.get(id)
    version = str(body.get("talos_version") or medium.spec.get("talos_version") or "").removeprefix("v")
    if not version:
        raise Problem(422, "validation", errors={"talos_version": ["Required: the Talos version of the image."]})
    if find(adapter.omni, types.TALOS_VERSIONS, version) is None:
        raise Problem(422, "validation", errors={"talos_version": [f"Omni does not know Talos {version!r}."]})
    platform, format = _platform(medium)
    kind = body.get("kind") or (ISO if platform == "metal" and format in ("", "iso") else DISK)
    if dry_run:  # the URL names the schematic, whose id is known once Omni has stored it
        unknown = {"url": "", "headers": {}, "schematic_id": ""}
        return DryRunResult(medium, medium, answer={**unknown, "talos_version": version, "kind": kind})
    schematic = adapter.omni.management.create_schematic(talos_version=version, **_schematic_arguments(adapter, medium))
    asset = adapter.omni.management.boot_asset_url(
        schematic.id,
        version,
        kind.upper(),
        platform=platform,
        architecture=enums.Architecture(medium.spec.get("architecture", 1)).name.lower(),
        format="" if format == "iso" else format,
        secure_boot=bool(medium.spec.get("secure_boot")),
    )
    return {
        "url": asset.url,
        "headers": dict(asset.headers),
        "schematic_id": schematic.id,
        "talos_version": version,
        "kind": kind,
    }


def _platform(medium: Resource) -> tuple[str, str]:
    """Return the platform and the image's format, empty for the platform's own."""
    spec = medium.spec
    if spec["kind"] == CATALOGUE:
        metal = spec.get("profile") == "iso" or spec.get("overlay")
        return ("metal" if metal else spec.get("profile", "metal")), spec.get("extension", "")
    if spec.get("cloud"):
        return spec["cloud"]["platform"], ""
    return "metal", "raw.xz" if spec.get("sbc") else ""


def _schematic_arguments(adapter: InstallationMediaAdapter, medium: Resource) -> dict[str, Any]:
    """Return the arguments of the schematic's creation."""
    spec = medium.spec
    if spec["kind"] == CATALOGUE:
        return {"media_id": medium.id}
    board = spec.get("sbc")
    overlay = None
    if board:
        known = find(adapter.omni, types.SBC_CONFIGS, board["overlay"])
        overlay_spec = known.spec if known else {}
        overlay = Overlay(
            overlay_spec.get("overlay_name", board["overlay"]),
            overlay_spec.get("overlay_image", ""),
            board.get("overlay_options", ""),
        )
    return {
        "extensions": names_of(spec.get("install_extensions") or ()),
        "extra_kernel_args": spec.get("kernel_args", "").split(),
        "join_token": spec.get("join_token", ""),
        "overlay": overlay,
        "grpc_tunnel": _TUNNELS.get(spec.get("grpc_tunnel", 0), "AUTO"),
        "bootloader": MediaBootloader(spec.get("bootloader", 0)).name.removeprefix("BOOT_"),
        "embedded_machine_config": spec.get("embedded_machine_config", ""),
        "image_factory_url": spec.get("image_factory_url", ""),
    }


DOWNLOAD_URL = Action(
    "download-url",
    role=Role.OPERATOR,
    summary="Create the image and return its download URL",
    body=DownloadURLActionSchema,
    example={"talos_version": "1.13.7"},
    answers=DownloadURLSchema,
    description="Omni stores the image's schematic, and the image may let machines join: therefore it is not a GET.",
    run=download_url,
)
