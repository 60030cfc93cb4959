"""Images: schematics, and the URLs of their images at the image factory."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from omni_gateway.simulator import kinds
from omni_gateway.simulator.documents import safe_yaml, strict_yaml
from omni_gateway.simulator.errors import InvalidArgument, Unknown
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.machines import schematic
from omni_gateway.simulator.network import FACTORY_HOST, FACTORY_PXE_URL, FACTORY_URL, join_kernel_args
from omni_gateway.simulator.rules.versions import minor
from omni_gateway.simulator.seed.catalog import default_join_token
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.stubs import management_pb2 as pb

_Request = pb.CreateSchematicRequest
_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?")
_META_LABELS = 12
_OPEN_META_KEYS = frozenset({10, 12, 13, 14})
_OVERLAYS_SINCE = (1, 7)
_BOOTLOADERS = {pb.BOOT_DUAL: "dual-boot", pb.BOOT_SD: "sd-boot", pb.BOOT_GRUB: "grub"}
_DISK_FORMATS = {"aws": "raw.xz", "azure": "vhd.xz", "gcp": "raw.tar.gz", "vmware": "ova", "metal": "raw.zst"}


class ImageCalls(Calls):
    """The calls about images. As at a real Omni, a schematic's id is the hash of its canonical text."""

    def CreateSchematic(self, request: _Request, context: Context) -> pb.CreateSchematicResponse:
        """Make a schematic that joins this Omni; its text holds the join token."""
        access.require("Operator")
        self._check(request)
        content = {"customization": self._customization(request), "overlay": self._overlay(request)}
        text = schematic.render(content)
        tunnel = request.siderolink_grpc_tunnel_mode == _Request.ENABLED
        return pb.CreateSchematicResponse(
            schematic_id=schematic.id_of(text), grpc_tunnel_enabled=tunnel, schematic_yml=text
        )

    def CreateSchematicFromRaw(
        self, request: pb.CreateSchematicFromRawRequest, context: Context
    ) -> pb.CreateSchematicResponse:
        """Make a schematic from its text, which is decoded strictly; nothing is added to it."""
        access.require_one_of("InfraProvider", "Operator", "Admin")
        try:
            found = safe_yaml.documents(request.raw_schematic.decode("utf-8", "replace"))
        except InvalidArgument as exc:
            raise Unknown(exc.message) from exc
        if not found:
            raise Unknown("the schematic is empty")
        if problems := list(schematic.problems(found[0])):
            raise Unknown("that is no schematic: " + "; ".join(problems[:20]))
        content = schematic.read(found[0])
        if content.get("owner"):
            raise Unknown("this image factory knows no owners of schematics")
        return pb.CreateSchematicResponse(schematic_id=schematic.id_of(schematic.render(content)))

    def GetBootAssetURL(self, request: pb.BootAssetURLRequest, context: Context) -> pb.BootAssetURLResponse:
        """Return where the image factory would serve an image; whether the schematic exists is not looked at."""
        access.require_one_of("InfraProvider", "Operator", "Admin")
        path = _asset_path(request)
        is_pxe = request.boot_asset_kind == pb.BootAssetURLRequest.BOOT_ASSET_KIND_PXE
        base = FACTORY_PXE_URL if is_pxe else self._factory_url()
        storage_key = hashlib.sha256(path.encode()).hexdigest()
        return pb.BootAssetURLResponse(url=base + path, image_factory_host=FACTORY_HOST, storage_key=storage_key)

    def _check(self, request: _Request) -> None:
        if request.talos_version and not _VERSION.fullmatch(request.talos_version):
            raise InvalidArgument(f"{request.talos_version!r} is no version of Talos")
        if taken := sorted(set(request.meta_values) - _OPEN_META_KEYS):
            raise InvalidArgument(f"the meta keys {taken} are Talos's own")
        if _META_LABELS in request.meta_values:
            _check_labels(request.meta_values[_META_LABELS])
        media = self._store.peek("ephemeral", kinds.INSTALLATION_MEDIA, request.media_id)
        if request.media_id and media is None:
            raise Unknown(f"there is no installation media {request.media_id!r}")
        if request.image_factory_url not in ("", FACTORY_URL):
            raise Unknown("that image factory is not configured")

    def _customization(self, request: _Request) -> dict[str, Any]:
        tunnel = request.siderolink_grpc_tunnel_mode == _Request.ENABLED
        args = join_kernel_args(request.join_token or default_join_token(self._store), tunnel)
        meta = sorted(request.meta_values.items(), reverse=True)
        return {
            "embeddedMachineConfiguration": request.embedded_machine_config,
            "extraKernelArgs": args + list(request.extra_kernel_args),
            "meta": [{"key": key, "value": value} for key, value in meta],
            "systemExtensions": {"officialExtensions": sorted(set(request.extensions))},
            "bootloader": _BOOTLOADERS.get(request.bootloader),
        }

    def _overlay(self, request: _Request) -> dict[str, Any]:
        """Return the overlay of a board: as given, or that of the installation medium."""
        version = request.talos_version
        if version and minor(version) < _OVERLAYS_SINCE:
            return {}
        if request.HasField("overlay"):
            given = request.overlay
            return {"name": given.name, "image": given.image, "options": _options(given.options)}
        media = self._store.peek("ephemeral", kinds.INSTALLATION_MEDIA, request.media_id)
        name = (media.spec.get("overlay") if media else None) or ""
        board = self._store.peek("virtual", kinds.SBC_CONFIG, name) if name else None
        return {"name": name, "image": board.spec["overlay_image"]} if board else {}


def _options(text: str) -> dict[str, Any]:
    """Return an overlay's options, a YAML mapping; :class:`Unknown` when it is none."""
    try:
        found = safe_yaml.documents(text)
    except InvalidArgument as exc:
        raise Unknown(exc.message) from exc
    if problem := next((p for node in found[:1] for p in strict_yaml.check(node, "{}any", {})), None):
        raise Unknown(f"the options of the overlay: {problem}")
    return schematic.read(found[0], "{}any") if found else {}


def _check_labels(text: str) -> None:
    """Check the YAML of initial machine labels; raise :class:`InvalidArgument` if it is none."""
    found = safe_yaml.documents(text)
    node = found[0] if found else None
    labels = strict_yaml.child(node, "machineLabels")
    for problem in strict_yaml.check(labels, "{}string", {}, "machineLabels") if labels else ():
        raise InvalidArgument(f"the machine labels: {problem}")
    if strict_yaml.child(node, "machineInitialLabels") is not None:
        raise InvalidArgument("machineInitialLabels is not used any more: machineLabels is")
    if labels is None or strict_yaml.is_null(labels):
        raise InvalidArgument(f"the meta value {_META_LABELS} is YAML with machineLabels")


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
