"""The image of a medium: its URL at the factory, once the schematic is made, and its download through the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import Problem, Resource, Role, SpecSchema
from omni_gateway.sdk.actions import Action, ComputedDocument, DryRunResult, RangedResponse
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.omni import Overlay, boot_assets, enums, types
from resources.installationmedia.adapter import CATALOGUE, InstallationMediaAdapter, names_of
from resources.installationmedia.schemas import MediaBootloader

ISO, DISK, PXE = "iso", "disk", "pxe"
MEDIA_TYPE = "application/octet-stream"
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
    download = fields.String(
        metadata={
            "description": "URL of the same image through this gateway, for clients that do not reach the factory;"
            " empty for `pxe`",
            "example": "/api/v1/installation-medias/rack-7/download?kind=iso&schematic_id="
            "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba&talos_version=1.13.7",
        }
    )


class DownloadQuery(ma.Schema):
    """The image, as `download-url` answered it."""

    schematic_id = fields.String(
        required=True,
        validate=validate.Regexp(r"[0-9a-f]{64}\Z", error="Must be the id of a schematic: 64 hexadecimal digits."),
        metadata={
            "description": "Id of the image's schematic",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        },
    )
    talos_version = fields.String(
        metadata={
            "description": "Required for entries of the catalogue; a configuration has its own",
            "example": "1.13.7",
        }
    )
    kind = fields.String(
        validate=validate.OneOf((ISO, DISK)),
        metadata={"description": "Left out: an ISO for metal, a disk image for the rest", "example": "iso"},
    )


def download_url(
    adapter: InstallationMediaAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Mapping[str, Any] | DryRunResult:
    """Create the schematic (the same content has the same id) and return the image's URL; 422 for a wrong version."""
    medium = adapter.get(id)
    version, kind = _image(adapter, medium, body)
    if dry_run:  # the URL names the schematic, whose id is known once Omni has stored it
        unknown = {"url": "", "headers": {}, "schematic_id": "", "download": ""}
        return DryRunResult(medium, medium, answer={**unknown, "talos_version": version, "kind": kind})
    schematic = adapter.omni.management.create_schematic(talos_version=version, **_schematic_arguments(adapter, medium))
    asset = _asset(adapter, medium, schematic.id, version, kind)
    query = urlencode({"kind": kind, "schematic_id": schematic.id, "talos_version": version})
    return {
        "url": asset.url,
        "headers": dict(asset.headers),
        "schematic_id": schematic.id,
        "talos_version": version,
        "kind": kind,
        "download": "" if kind == PXE else f"{object_url('installation-medias', id)}/download?{query}",
    }


def download(adapter: InstallationMediaAdapter, id: str, query: Mapping[str, Any]) -> RangedResponse:
    """Send the image of a schematic on as the factory sends it; 422 for a wrong version."""
    medium = adapter.get(id)
    version, kind = _image(adapter, medium, query)
    asset = _asset(adapter, medium, query["schematic_id"], version, kind)
    name = urlsplit(asset.url).path.rpartition("/")[2]
    return RangedResponse(partial(_opened, asset), MEDIA_TYPE, f"{version}-{name}", credential=True)


@contextmanager
def _opened(asset: boot_assets.BootAsset, wanted: Mapping[str, str]) -> Iterator[boot_assets.AssetPart]:
    """Open the image; raise 404 if the factory has none, 503 if it cannot be had."""
    try:
        with boot_assets.open_asset(asset, wanted) as part:
            yield replace(part, chunks=_chunks(part))
    except boot_assets.AssetUnavailable as error:
        raise _problem(error) from error


def _chunks(part: boot_assets.AssetPart) -> Iterator[bytes]:
    try:
        yield from part.chunks
    except boot_assets.AssetUnavailable as error:
        raise _problem(error) from error


def _problem(error: boot_assets.AssetUnavailable) -> Problem:
    if error.status == 404:
        text = f"{error} It has no such schematic, or no such image of it."
        return Problem(404, "not-found", text, hint="POST actions/download-url first.")
    return Problem(503, "back-end-unreachable", str(error), headers={"Retry-After": "10"})


def _image(adapter: InstallationMediaAdapter, medium: Resource, wanted: Mapping[str, Any]) -> tuple[str, str]:
    """Return the Talos version and the kind of the image; raise 422 for a version that is missing or unknown."""
    version = str(wanted.get("talos_version") or medium.spec.get("talos_version") or "").removeprefix("v")
    if not version:
        raise Problem(422, "validation", errors={"talos_version": ["Required: the Talos version of the image."]})
    if find(adapter.omni, types.TALOS_VERSIONS, version) is None:
        raise Problem(422, "validation", errors={"talos_version": [f"Omni does not know Talos {version!r}."]})
    platform, format = _platform(medium)
    return version, wanted.get("kind") or (ISO if platform == "metal" and format in ("", "iso") else DISK)


def _asset(
    adapter: InstallationMediaAdapter, medium: Resource, schematic_id: str, version: str, kind: str
) -> boot_assets.BootAsset:
    platform, format = _platform(medium)
    return adapter.omni.management.boot_asset_url(
        schematic_id,
        version,
        kind.upper(),
        platform=platform,
        architecture=enums.Architecture(medium.spec.get("architecture", 1)).name.lower(),
        format="" if format == "iso" else format,
        secure_boot=bool(medium.spec.get("secure_boot")),
    )


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
DOWNLOAD = ComputedDocument(
    "download",
    role=Role.OPERATOR,
    summary="Download the image through the gateway",
    description="The image of a schematic that `download-url` has made, from the image factory, as it comes; `download`"
    " in its answer is the URL. With `Range`, a part: a download that was cut off goes on. The factory builds an image"
    " when it is asked for it first, which takes a minute or more. The image may let machines join: the download is"
    " audited. 503 `back-end-unreachable` says why the factory gives none.",
    media_type=MEDIA_TYPE,
    ranged=True,
    query=DownloadQuery,
    run=download,
)
