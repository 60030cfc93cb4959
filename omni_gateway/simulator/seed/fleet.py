"""The seeded fleet: machines that have joined and wait in maintenance mode.

The n-th machine is the same in every simulator: its id, its hardware, its addresses. Boot ids and keys are not.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context
from omni_gateway.simulator.controllers.link_cleanup import FINALIZERS
from omni_gateway.simulator.machines import projections, schematic
from omni_gateway.simulator.machines.hardware import Hardware
from omni_gateway.simulator.machines.projections import MachineView
from omni_gateway.simulator.network import join_kernel_args, siderolink_address
from omni_gateway.simulator.seed.catalog import DEFAULT_TALOS_VERSION, default_join_token
from omni_gateway.simulator.state.store import Store

_FLEET_ID = "fleet"
_NAMESPACE = uuid.UUID("5d3f0c1e-5a55-4e0c-9d1b-6f2f2c1c7a10")

# cores, memory in GiB, disks in GB, maker, processor, platform, region and zone
_MODELS = (
    (4, 16, (128,), "Intel(R) Corporation", "Intel(R) Xeon(R) E-2324G", "metal", "", ""),
    (8, 32, (256, 1000), "Advanced Micro Devices, Inc.", "AMD EPYC 3251 8-Core Processor", "metal", "", ""),
    (16, 64, (512, 4000, 4000), "Advanced Micro Devices, Inc.", "AMD EPYC 7313P 16-Core Processor", "metal", "", ""),
    (64, 256, (960, 7680), "Intel(R) Corporation", "Intel(R) Xeon(R) Gold 6430", "metal", "", ""),
    (2, 8, (50,), "Amazon EC2", "AWS Graviton3 Processor", "aws", "eu-central-1", "eu-central-1a"),
    (4, 16, (80,), "QEMU", "QEMU Virtual CPU", "nocloud", "", ""),
)
_NAME_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_INITIAL_EXTENSIONS = ["siderolabs/hello-world-service"]


def machine_id(index: int) -> str:
    """Return the id of the n-th machine, counted from 0."""
    return str(uuid.uuid5(_NAMESPACE, f"machine-{index}"))


def seed_fleet(store: Store, count: int, *, boot_ids: bool = True) -> None:
    """Let machines join until `count` have joined since the database was made.

    Machines that were removed since do not come back. Needs the catalogue for the join token.
    """
    own = Context(store, "")
    fleet = own.find(kinds.EMULATED_FLEET, _FLEET_ID)
    seeded = fleet.spec["seeded"] if fleet else 0
    if count <= seeded:
        return
    token = default_join_token(store)
    with _no_garbage_collection(), store.lock:
        for index in range(seeded, count):
            _join(own, index, token, boot_ids=boot_ids)
        own.write(kinds.EMULATED_FLEET, _FLEET_ID, {"seeded": count})


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Spare the collector the many objects that are made here and stay: a large fleet takes a third less time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _join(own: Context, index: int, token: str, *, boot_ids: bool) -> None:
    id_ = machine_id(index)
    hw = replace(_hardware(index, id_, token), tells_boot_id=boot_ids)
    link = {
        "node_subnet": f"{hw.address}/64",
        "node_public_key": base64.b64encode(hashlib.sha256(id_.encode()).digest()).decode(),
        "last_endpoint": f"192.0.2.{10 + index % 200}:{30000 + index % 30000}",
        "connected": True,
    }
    own.write(kinds.LINK, id_, link, annotations={labels.UNIQUE_TOKEN: ""}, finalizers=FINALIZERS)
    own.write(kinds.EMULATED_MACHINE, id_, hw.spec())
    own.write(kinds.NODE_UNIQUE_TOKEN, id_, {"token": secrets.token_urlsafe(32)})
    own.write(kinds.MACHINE_LABELS, id_, {}, annotations={labels.PLATFORM_TAGS_INITIALIZED: ""})
    stored = own.store.get("default", kinds.LINK, id_)
    view = MachineView(id_, stored, hw)
    for projection in projections.ALL:
        said = projection.build(view)
        if said is not None:
            Context(own.store, projection.owner).write(
                projection.kind,
                id_ + projection.id_suffix,
                said.spec,
                said.labels,
                annotations=said.annotations,
                finalizers=projection.finalizers,
            )


def _hardware(index: int, id_: str, token: str) -> Hardware:
    digest = hashlib.sha256(id_.encode()).hexdigest()
    return Hardware(
        hostname=_hostname(digest),
        address=siderolink_address(id_),
        join_token=token,
        shape=_shape(index, id_, token, digest),
        boot_id=str(uuid.uuid4()),
        talos_version=DEFAULT_TALOS_VERSION,
        initial_talos_version=DEFAULT_TALOS_VERSION,
        extensions=list(_INITIAL_EXTENSIONS),
        initial_extensions=list(_INITIAL_EXTENSIONS),
    )


def _hostname(digest: str) -> str:
    """Return a name as Talos makes one up: `talos-`, and twice three letters or digits."""
    number = int(digest[:12], 16)
    letters = []
    for _ in range(6):
        number, rest = divmod(number, len(_NAME_ALPHABET))
        letters.append(_NAME_ALPHABET[rest])
    return f"talos-{''.join(letters[:3])}-{''.join(letters[3:])}"


def _shape(index: int, id_: str, token: str, digest: str) -> dict[str, Any]:
    cores, memory, disks, maker, processor, platform, region, zone = _MODELS[index % len(_MODELS)]
    arch = "arm64" if platform == "aws" else "amd64"
    system = {
        "arch": arch,
        "cores": str(cores),
        "cpu": "amd" if "AMD" in processor else maker.split("(")[0].split()[0].lower(),
        "mem": f"{memory}GiB",
        "platform": platform,
        "storage": f"{sum(disks)}GB",
        "region": region,
        "zone": zone,
    }
    metadata = {"platform": platform, "region": region, "zone": zone}
    return {
        "arch": arch,
        "processor": {
            "core_count": cores,
            "thread_count": cores * 2,
            "frequency": 2400 + 200 * (index % 8),
            "description": processor,
            "manufacturer": maker,
        },
        "memory_mb": memory * 1024,
        "memory_description": "DDR4 ECC",
        "blockdevices": list(_disks(disks, digest)),
        "network": _network(index, digest),
        "platform_metadata": {key: value for key, value in metadata.items() if value},
        "initial_schematic": schematic.schematic_id(join_kernel_args(token), _INITIAL_EXTENSIONS),
        "labels": {labels.PREFIX + key: value for key, value in system.items() if value},
    }


def _disks(sizes: tuple[int, ...], digest: str) -> Iterator[dict[str, Any]]:
    for position, gigabytes in enumerate(sizes):
        name = "/dev/vd" + "abcdefgh"[position]
        rotational = gigabytes >= 4000
        yield {
            "size": gigabytes * 10**9,
            "model": f"CM{digest[:4].upper()}",
            "linux_name": name,
            "serial": digest[position * 8 : position * 8 + 12].upper(),
            "type": "HDD" if rotational else "SSD",
            "bus_path": f"/pci0000:00/0000:00:05.0/0000:01:01.0/virtio{position + 2}/",
            "system_disk": position == 0,
            "transport": "virtio",
            "dev_path": name,
            "io_size": 512,
            "sector_size": 512,
            "rotational": rotational,
            "pretty_size": f"{gigabytes} GB",
        }


def _network(index: int, digest: str) -> dict[str, Any]:
    mac = ":".join(("52", "54", "00", digest[6:8], digest[8:10], digest[10:12]))
    link = {
        "linux_name": "eth0",
        "hardware_address": mac,
        "speed_mbps": 10000,
        "link_up": True,
        "description": "virtio",
    }
    index += 10
    address = f"10.{(index >> 16) & 255}.{(index >> 8) & 255}.{index & 255}/8"
    return {"addresses": [address], "default_gateways": ["10.255.255.254"], "network_links": [link]}
