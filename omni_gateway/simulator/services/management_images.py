"""Images: schematics, and where the image factory would serve what is made from them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import yaml

from omni_gateway.stubs import management_pb2 as pb

from .. import access, kinds, safe_yaml, schematic
from ..catalog import default_join_token
from ..errors import InvalidArgument, Unknown
from ..network import FACTORY_HOST, FACTORY_PXE_URL, FACTORY_URL, join_kernel_args
from .management_base import Calls, Context

_Request = pb.CreateSchematicRequest
_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?")
_META_LABELS = 12
_RESERVED_META_KEYS = frozenset({6, 7, 9, 11})
_BOOTLOADERS = {pb.BOOT_DUAL: "dual-boot", pb.BOOT_SD: "sd-boot", pb.BOOT_GRUB: "grub"}
_DISK_FORMATS = {"aws": "raw.xz", "azure": "vhd.xz", "gcp": "raw.tar.gz", "vmware": "ova", "metal": "raw.zst"}


class ImageCalls(Calls):
    """The calls about images. As at a real Omni, a schematic's id is the hash of its text."""

    def CreateSchematic(self, request: _Request, context: Context) -> pb.CreateSchematicResponse:
        """Make a schematic that joins this Omni; its text holds the join token."""
        access.require("Operator")
        self._check(request)
        text = _dump({"customization": self._customization(request)} | _overlay(request))
        tunnel = request.siderolink_grpc_tunnel_mode == _Request.ENABLED
        return pb.CreateSchematicResponse(
            schematic_id=schematic.id_of(text), grpc_tunnel_enabled=tunnel, schematic_yml=text
        )

    def CreateSchematicFromRaw(
        self, request: pb.CreateSchematicFromRawRequest, context: Context
    ) -> pb.CreateSchematicResponse:
        """Make a schematic from its text; nothing is added to it."""
        access.require_one_of("InfraProvider", "Operator", "Admin")
        text = request.raw_schematic.decode("utf-8", "replace")
        try:
            found = safe_yaml.documents(text)
        except InvalidArgument as exc:
            raise Unknown(exc.message) from exc
        if len(found) != 1 or not isinstance(found[0], yaml.MappingNode):
            raise Unknown("a schematic is one YAML mapping")
        return pb.CreateSchematicResponse(schematic_id=schematic.id_of(text), schematic_yml=text)

    def GetBootAssetURL(self, request: pb.BootAssetURLRequest, context: Context) -> pb.BootAssetURLResponse:
        """Return where the image factory would serve an image; whether the schematic exists is not looked at."""
        access.require_one_of("InfraProvider", "Operator", "Admin")
        path = _asset_path(request)
        base = FACTORY_PXE_URL if request.boot_asset_kind == pb.BootAssetURLRequest.BOOT_ASSET_KIND_PXE else FACTORY_URL
        storage_key = hashlib.sha256(path.encode()).hexdigest()
        return pb.BootAssetURLResponse(url=base + path, image_factory_host=FACTORY_HOST, storage_key=storage_key)

    def _check(self, request: _Request) -> None:
        if request.talos_version and not _VERSION.fullmatch(request.talos_version):
            raise InvalidArgument(f"{request.talos_version!r} is no version of Talos")
        if taken := sorted(_RESERVED_META_KEYS & set(request.meta_values)):
            raise InvalidArgument(f"the meta keys {taken} are Talos's own")
        if _META_LABELS in request.meta_values and "machineLabels:" not in request.meta_values[_META_LABELS]:
            raise InvalidArgument(f"the meta value {_META_LABELS} is YAML with machineLabels")
        media = self._store.peek("ephemeral", kinds.INSTALLATION_MEDIA, request.media_id)
        if request.media_id and media is None:
            raise Unknown(f"there is no installation media {request.media_id!r}")
        if request.image_factory_url not in ("", FACTORY_URL):
            raise Unknown("that image factory is not configured")

    def _customization(self, request: _Request) -> dict[str, Any]:
        args = join_kernel_args(request.join_token or default_join_token(self._store)) + list(request.extra_kernel_args)
        found: dict[str, Any] = {"extraKernelArgs": args}
        if request.meta_values:
            found["meta"] = [{"key": key, "value": value} for key, value in sorted(request.meta_values.items())]
        if request.extensions:
            found["systemExtensions"] = {"officialExtensions": sorted(set(request.extensions))}
        if request.bootloader in _BOOTLOADERS:
            found["bootloader"] = _BOOTLOADERS[request.bootloader]
        if request.embedded_machine_config:
            found["embeddedMachineConfiguration"] = request.embedded_machine_config
        return found


def _overlay(request: _Request) -> dict[str, Any]:
    if not request.overlay.name:
        return {}
    return {"overlay": {"name": request.overlay.name, "image": request.overlay.image}}


def _dump(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=yaml.CSafeDumper, indent=4, sort_keys=True)


def _asset_path(request: pb.BootAssetURLRequest) -> str:
    platform, architecture = request.platform or "metal", request.architecture or "amd64"
    version = "v" + request.talos_version.removeprefix("v")
    secure = "-secureboot" if request.secure_boot else ""
    stem = f"{request.schematic_id}/{version}/{platform}-{architecture}{secure}"
    if request.boot_asset_kind == pb.BootAssetURLRequest.BOOT_ASSET_KIND_PXE:
        return f"/pxe/{stem}"
    if request.boot_asset_kind == pb.BootAssetURLRequest.BOOT_ASSET_KIND_ISO:
        return f"/image/{stem}.iso"
    if request.boot_asset_kind == pb.BootAssetURLRequest.BOOT_ASSET_KIND_DISK:
        return f"/image/{stem}.{request.format or _DISK_FORMATS.get(platform, 'raw.xz')}"
    raise InvalidArgument("boot_asset_kind is one of PXE, ISO and DISK")
