"""Schematics and boot assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from omni_gateway.omni import rpcs
from omni_gateway.omni.management.group import CallGroup
from omni_gateway.stubs import management_pb2 as pb


@dataclass(frozen=True, slots=True)
class Schematic:
    """An image's recipe, immutable, its id a hash of its content. ``yaml`` holds the join token: never show it."""

    id: str
    grpc_tunnel_enabled: bool
    yaml: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a single-board computer needs beside Talos; ``options`` is YAML."""

    name: str
    image: str
    options: str = ""


@dataclass(frozen=True, slots=True)
class BootAsset:
    """Where a boot asset is downloaded: URL, the headers to send along (they may authorise), factory host, key."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    image_factory_host: str
    storage_key: str


class ImageCalls(CallGroup):
    """Make schematics and find their images."""

    def create_schematic(
        self,
        *,
        talos_version: str = "",
        extensions: Sequence[str] = (),
        extra_kernel_args: Sequence[str] = (),
        meta_values: Mapping[int, str] | None = None,
        media_id: str = "",
        grpc_tunnel: str = "AUTO",
        join_token: str = "",
        overlay: Overlay | None = None,
        bootloader: str = "AUTO",
        embedded_machine_config: str = "",
        image_factory_url: str = "",
    ) -> Schematic:
        """Make (or find: same content, same id) a schematic whose machines join this Omni.

        ``grpc_tunnel``: AUTO, DISABLED, ENABLED. ``bootloader``: AUTO, DUAL, SD, GRUB. Neither versions nor extension
        names are checked by Omni; an unknown ``media_id`` ends as ``Unknown``.
        """

        def build() -> pb.CreateSchematicRequest:
            request = pb.CreateSchematicRequest(
                talos_version=talos_version,
                extensions=extensions,
                extra_kernel_args=extra_kernel_args,
                meta_values=meta_values,
                media_id=media_id,
                siderolink_grpc_tunnel_mode=pb.CreateSchematicRequest.SiderolinkGRPCTunnelMode.Value(grpc_tunnel),
                join_token=join_token,
                bootloader=pb.SchematicBootloader.Value(f"BOOT_{bootloader}"),
                embedded_machine_config=embedded_machine_config,
                image_factory_url=image_factory_url,
            )
            if overlay is not None:
                request.overlay.name = overlay.name
                request.overlay.image = overlay.image
                request.overlay.options = overlay.options
            return request

        return _schematic(self._calls.unary(rpcs.CREATE_SCHEMATIC, build))

    def create_schematic_from_raw(self, raw: bytes, *, talos_version: str = "") -> Schematic:
        """Register a schematic from its YAML as it is; nothing is added, so its machines do not join by themselves."""
        answer = self._calls.unary(
            rpcs.CREATE_SCHEMATIC_FROM_RAW,
            lambda: pb.CreateSchematicFromRawRequest(raw_schematic=raw, talos_version=talos_version),
        )
        return _schematic(answer)

    def boot_asset_url(
        self,
        schematic_id: str,
        talos_version: str,
        kind: str,
        *,
        platform: str = "",
        architecture: str = "",
        format: str = "",
        secure_boot: bool = False,
        standalone: bool = False,
    ) -> BootAsset:
        """Return where the image of a schematic is; ``kind``: PXE, ISO or DISK. The schematic need not exist."""

        def build() -> pb.BootAssetURLRequest:
            return pb.BootAssetURLRequest(
                schematic_id=schematic_id,
                talos_version=talos_version,
                boot_asset_kind=pb.BootAssetURLRequest.BootAssetKind.Value(f"BOOT_ASSET_KIND_{kind}"),
                platform=platform,
                architecture=architecture,
                format=format,
                secure_boot=secure_boot,
                standalone_url=standalone,
            )

        answer = self._calls.unary(rpcs.GET_BOOT_ASSET_URL, build)
        return BootAsset(answer.url, dict(answer.headers), answer.image_factory_host, answer.storage_key)


def _schematic(answer: pb.CreateSchematicResponse) -> Schematic:
    return Schematic(answer.schematic_id, answer.grpc_tunnel_enabled, answer.schematic_yml)
