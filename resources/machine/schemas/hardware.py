"""A machine's hardware and network as Talos reports them; all fields are read-only."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire


class MachineProcessorSchema(SpecSchema):
    """A processor."""

    core_count = wire.Integer()
    thread_count = wire.Integer(metadata={"description": "As the firmware reports it"})
    frequency = wire.Integer(metadata={"description": "MHz"})
    description = fields.String()
    manufacturer = fields.String()


class MachineMemoryModuleSchema(SpecSchema):
    """A memory module."""

    size_mb = wire.Integer(metadata={"description": "MiB"})
    description = fields.String()


class MachineBlockDeviceSchema(SpecSchema):
    """A disk."""

    size = wire.Int64(metadata={"description": "Bytes"})
    model = fields.String()
    linux_name = fields.String(metadata={"description": "e.g. `/dev/vda`"})
    name = fields.String()
    serial = fields.String()
    uuid = fields.String()
    wwid = fields.String()
    type = fields.String(metadata={"description": "e.g. `HDD`, `SSD`, `NVME`"})
    bus_path = fields.String()
    system_disk = wire.Boolean(metadata={"description": "Talos is on it"})
    readonly = wire.Boolean()
    transport = fields.String()
    dev_path = fields.String()
    io_size = wire.Int64(metadata={"description": "Bytes"})
    sector_size = wire.Int64(metadata={"description": "Bytes"})
    modalias = fields.String()
    sub_system = fields.String()
    rotational = wire.Boolean()
    cdrom = wire.Boolean()
    pretty_size = fields.String(metadata={"description": "For people"})
    secondary_disks = fields.List(fields.String())
    symlinks = fields.List(fields.String())
    firmware_version = fields.String()


class MachineHardwareSchema(SpecSchema):
    """A machine's hardware."""

    processors = fields.List(fields.Nested(MachineProcessorSchema))
    memory_modules = fields.List(fields.Nested(MachineMemoryModuleSchema))
    blockdevices = fields.List(fields.Nested(MachineBlockDeviceSchema))
    arch = fields.String(metadata={"description": "e.g. `amd64`"})


class MachineNetworkLinkSchema(SpecSchema):
    """A network interface."""

    linux_name = fields.String(metadata={"description": "e.g. `eth0`"})
    hardware_address = fields.String()
    speed_mbps = wire.Integer(metadata={"description": "Mbit/s"})
    link_up = wire.Boolean()
    description = fields.String()


class MachineNetworkSchema(SpecSchema):
    """A machine's network configuration."""

    hostname = fields.String()
    domainname = fields.String()
    addresses = fields.List(fields.String(), metadata={"description": "With prefix length, e.g. `10.0.0.5/24`"})
    default_gateways = fields.List(fields.String())
    network_links = fields.List(fields.Nested(MachineNetworkLinkSchema))
