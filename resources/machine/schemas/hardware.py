"""A machine's hardware and network as Talos reports them; all fields are read-only."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire


class MachineProcessorSchema(SpecSchema):
    """A processor."""

    core_count = wire.Integer(
        metadata={
            "description": "Physical cores of this processor, as the firmware (SMBIOS) reports them",
            "example": 8,
        }
    )
    thread_count = wire.Integer(
        metadata={
            "description": "Hardware threads of this processor, as the firmware (SMBIOS) reports them",
            "example": 16,
        }
    )
    frequency = wire.Integer(metadata={"description": "Clock frequency in MHz", "example": 3000})
    description = fields.String(
        metadata={
            "description": "Manufacturer and model of the processor",
            "example": "AMD EPYC 7302P 16-Core Processor",
        }
    )
    manufacturer = fields.String(metadata={"description": "Manufacturer of the processor", "example": "AMD"})


class MachineMemoryModuleSchema(SpecSchema):
    """A memory module."""

    size_mb = wire.Integer(metadata={"description": "Size of the module in MiB", "example": 16384})
    description = fields.String(
        metadata={"description": "Manufacturer and model of the module", "example": "Micron 18ASF2G72PDZ"}
    )


class MachineBlockDeviceSchema(SpecSchema):
    """A disk."""

    size = wire.Int64(metadata={"description": "Capacity in bytes", "example": 480103981056})
    model = fields.String(metadata={"description": "Model that the disk reports", "example": "SAMSUNG MZ7LH480"})
    linux_name = fields.String(
        metadata={
            "description": "Path of the block device, which may change between boots, e.g. `/dev/vda`",
            "example": "/dev/sda",
        }
    )
    name = fields.String(
        metadata={
            "description": "Name in `/sys/block/<dev>/device/name`; empty with newer versions of Talos",
            "example": "",
        }
    )
    serial = fields.String(
        metadata={"description": "Serial number in `/sys/block/<dev>/device/serial`", "example": "S45PNA0M520238"}
    )
    uuid = fields.String(
        metadata={"description": "UUID in `/sys/block/<dev>/device/uuid`, of disks that have one", "example": ""}
    )
    wwid = fields.String(
        metadata={
            "description": "World wide identifier in `/sys/block/<dev>/device/wwid`, the same in every boot",
            "example": "naa.5002538e09a03d30",
        }
    )
    type = fields.String(metadata={"description": "Kind of disk, e.g. `HDD`, `SSD`, `NVME`, `SD`", "example": "SSD"})
    bus_path = fields.String(
        metadata={
            "description": "Path of the disk on its bus",
            "example": "/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0",
        }
    )
    system_disk = wire.Boolean(metadata={"description": "Whether Talos is installed on this disk", "example": True})
    readonly = wire.Boolean(metadata={"description": "Whether the disk cannot be written", "example": False})
    transport = fields.String(
        metadata={"description": "How the disk is attached, e.g. `sata`, `nvme`, `virtio`, `usb`", "example": "sata"}
    )
    dev_path = fields.String(
        metadata={"description": "Path of the block device as Talos reports it", "example": "/dev/sda"}
    )
    io_size = wire.Int64(metadata={"description": "Optimal size of a transfer in bytes", "example": 512})
    sector_size = wire.Int64(metadata={"description": "Logical sector size in bytes", "example": 512})
    modalias = fields.String(
        metadata={
            "description": "Module alias of the device, by which Linux chooses its driver",
            "example": "scsi:t-0x00",
        }
    )
    sub_system = fields.String(
        metadata={"description": "Path of the device's subsystem in sysfs", "example": "/sys/class/block"}
    )
    rotational = wire.Boolean(metadata={"description": "Whether it is a spinning disk", "example": False})
    cdrom = wire.Boolean(metadata={"description": "Whether it is a CD-ROM drive", "example": False})
    pretty_size = fields.String(
        metadata={"description": "Capacity with a unit, for people; programs read `size`", "example": "480 GB"}
    )
    secondary_disks = fields.List(
        fields.String(),
        metadata={
            "description": "Disks that this device is built on: members of a RAID, parents of a device mapper target",
            "example": [],
        },
    )
    symlinks = fields.List(
        fields.String(),
        metadata={
            "description": "Further paths of the device, which stay the same in every boot",
            "example": ["/dev/disk/by-id/wwn-0x5002538e09a03d30"],
        },
    )
    firmware_version = fields.String(metadata={"description": "Firmware version of the disk", "example": "HXT7904Q"})


class MachineHardwareSchema(SpecSchema):
    """A machine's hardware."""

    processors = fields.List(
        fields.Nested(MachineProcessorSchema), metadata={"description": "Processors, one entry per socket"}
    )
    memory_modules = fields.List(
        fields.Nested(MachineMemoryModuleSchema),
        metadata={"description": "Memory modules, one entry per slot that the firmware reports"},
    )
    blockdevices = fields.List(
        fields.Nested(MachineBlockDeviceSchema), metadata={"description": "Block devices: disks, and CD-ROM drives"}
    )
    arch = fields.String(
        metadata={"description": "Architecture of the processors: `amd64` or `arm64`", "example": "amd64"}
    )


class MachineNetworkLinkSchema(SpecSchema):
    """A network interface."""

    linux_name = fields.String(
        metadata={"description": "Name of the interface in Linux, e.g. `eth0`", "example": "eth0"}
    )
    hardware_address = fields.String(
        metadata={"description": "MAC address of the interface", "example": "0c:42:a1:5e:7b:10"}
    )
    speed_mbps = wire.Integer(
        metadata={"description": "Speed of the link in Mbit/s; 0 while unknown", "example": 10000}
    )
    link_up = wire.Boolean(metadata={"description": "Whether the interface has a carrier", "example": True})
    description = fields.String(
        metadata={
            "description": "Manufacturer and model of the network card",
            "example": "Intel Ethernet Controller X710",
        }
    )


class MachineNetworkSchema(SpecSchema):
    """A machine's network configuration."""

    hostname = fields.String(
        metadata={"description": "Host name without the domain, as Talos has it now", "example": "node-1"}
    )
    domainname = fields.String(
        metadata={"description": "Domain of the host name; empty without one", "example": "example.com"}
    )
    addresses = fields.List(
        fields.String(),
        metadata={
            "description": "Addresses of the machine with prefix length, e.g. `10.0.0.5/24`",
            "example": ["10.0.0.5/24"],
        },
    )
    default_gateways = fields.List(
        fields.String(), metadata={"description": "Addresses of the default gateways", "example": ["10.0.0.1"]}
    )
    network_links = fields.List(
        fields.Nested(MachineNetworkLinkSchema), metadata={"description": "Physical network interfaces of the machine"}
    )
