"""Installation media and platforms: the images that the image factory offers, and their targets."""

from __future__ import annotations

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Spec
from omni_gateway.simulator.network import INSTANCE_NAME
from omni_gateway.simulator.state.store import Store

_AMD64, _ARM64 = 1, 2
_BOOT_DISK, _BOOT_ISO, _BOOT_PXE = 1, 2, 3

# id, label, description, image suffix, whether there is an image for arm64
_CLOUDS = (
    ("akamai", "Akamai", "virtual machines of Akamai Cloud", "raw.gz", False),
    ("aws", "Amazon Web Services (AWS)", "virtual machines of AWS", "raw.xz", True),
    ("azure", "Microsoft Azure", "virtual machines of Azure", "vhd.xz", True),
    ("digital-ocean", "Digital Ocean", "droplets of DigitalOcean", "raw.gz", False),
    ("exoscale", "Exoscale", "virtual machines of Exoscale", "qcow2", False),
    ("gcp", "Google Cloud (GCP)", "virtual machines of Google Cloud", "raw.tar.gz", True),
    ("hcloud", "Hetzner", "virtual machines of Hetzner Cloud", "raw.xz", True),
    ("nocloud", "Nocloud", "hypervisors that speak nocloud, like Proxmox", "raw.xz", True),
    ("openstack", "OpenStack", "virtual machines of OpenStack", "raw.xz", True),
    ("oracle", "Oracle Cloud", "virtual machines of Oracle Cloud", "qcow2", True),
    ("scaleway", "Scaleway", "virtual machines of Scaleway", "raw.xz", True),
    ("upcloud", "UpCloud", "virtual machines of UpCloud", "raw.xz", False),
    ("vmware", "VMWare", "virtual machines of VMware", "ova", False),
    ("vultr", "Vultr", "virtual machines of Vultr", "raw.xz", False),
)
_BOARDS = (
    ("bananapi_m64", "Banana Pi M64", "siderolabs/sbc-allwinner"),
    ("pine64", "Pine64", "siderolabs/sbc-allwinner"),
    ("rock64", "Rock64", "siderolabs/sbc-rockchip"),
    ("rpi_generic", "Raspberry Pi Series", "siderolabs/sbc-raspberrypi"),
)
_CONTENT_TYPES = {"gz": "application/gzip", "xz": "application/x-xz", "iso": "application/x-iso9660-image"}


def _media(profile: str, label: str, architecture: str, extension: str) -> Spec:
    return {
        "name": f"{label} ({architecture})",
        "architecture": architecture,
        "profile": profile,
        "contentType": _CONTENT_TYPES.get(extension.rpartition(".")[2], "application/octet-stream"),
        "dest_file_prefix": f"{profile}-{architecture}-omni-{INSTANCE_NAME}",
        "extension": extension,
    }


def seed_media(store: Store) -> None:
    """Write the catalogues of installation media and of platforms."""
    media = Context(store, "InstallationMediaController")
    unowned = Context(store, "")
    for profile, label, description, suffix, arm in _CLOUDS:
        for architecture in ("amd64", "arm64") if arm else ("amd64",):
            id_ = f"{profile}-{architecture}.{suffix}"
            media.write(kinds.INSTALLATION_MEDIA, id_, _media(profile, label, architecture, suffix))
        platform = {
            "label": label,
            "description": f"Runs on {description}",
            "architectures": [_AMD64, _ARM64] if arm else [_AMD64],
            "disk_image_suffix": suffix,
            "boot_methods": [_BOOT_DISK],
        }
        unowned.write(kinds.CLOUD_PLATFORM_CONFIG, profile, platform)
    for architecture in ("amd64", "arm64"):
        media.write(kinds.INSTALLATION_MEDIA, f"metal-{architecture}.iso", _media("iso", "ISO", architecture, "iso"))
    metal = {
        "label": "Bare Metal",
        "description": "Runs on bare-metal servers",
        "architectures": [_AMD64, _ARM64],
        "disk_image_suffix": "raw.zst",
        "boot_methods": [_BOOT_ISO, _BOOT_DISK, _BOOT_PXE],
        "secure_boot_supported": True,
    }
    unowned.write(kinds.METAL_PLATFORM_CONFIG, "metal", metal)
    for name, label, image in _BOARDS:
        unowned.write(kinds.SBC_CONFIG, name, {"label": label, "overlay_name": name, "overlay_image": image})
