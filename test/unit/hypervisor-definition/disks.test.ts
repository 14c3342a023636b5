import test from "ava";
import {
	childOf,
	childrenOf,
	parseDefinition,
} from "../../../apps/host-daemon/src/hypervisor/definition-tree.ts";
import { newDefinition } from "../../../apps/host-daemon/src/hypervisor/new-definition.ts";
import { aDomain, newInput, withDevice } from "../../support/builders/definition.ts";

const made = newDefinition(newInput());
const disks = childrenOf(childOf(parseDefinition(made.xml), "devices"), "disk");
const targetOf = (disk: (typeof disks)[number]) => childOf(disk, "target")?.attributes["dev"];

test("new disks › are those of the backup, as qcow2 files at their new paths", (t) => {
	t.deepEqual(disks.map(targetOf), ["vda", "vdb", "sda", "sdb"]);
	for (const disk of disks.slice(0, 3)) {
		t.is(disk.attributes["type"], "file");
		t.is(childOf(disk, "source")?.attributes["file"], `/new/copy-${targetOf(disk)}.qcow2`);
		t.is(childOf(disk, "driver")?.attributes["type"], "qcow2");
		t.is(childOf(disk, "backingStore"), undefined);
	}
});

test("new disks › keep what the guest sees and how they are driven", (t) => {
	const [vda, , sda] = disks;
	t.is(childOf(vda, "serial")?.text, "ROOT-1");
	t.is(childOf(vda, "boot")?.attributes["order"], "1");
	t.like(childOf(vda, "driver")?.attributes, {
		cache: "none",
		io: "native",
		discard: "unmap",
		iothread: "1",
	});
	t.is(childOf(childOf(vda, "iotune"), "total_iops_sec")?.text, "500");
	t.is(childOf(sda, "wwn")?.text, "5000c50015ea71aa");
});

test("new disks › leave CD-ROM drives empty", (t) => {
	const drive = disks[3];
	t.is(drive?.attributes["device"], "cdrom");
	t.is(childOf(drive, "source"), undefined);
	t.is(childOf(drive, "driver")?.attributes["type"], "raw");
	t.true(made.changed.includes("CD-ROM drive sdb: empty, /srv/iso/debian.iso was in it"));
});

test("new disks › know nothing of overlays, encryption or passed-through hardware", (t) => {
	const source =
		"<source file='/vm/a.knib-x.qcow2'><encryption format='luks'><secret type='passphrase' uuid='11111111-2222-4333-8444-555555555555'/></encryption></source>";
	const below =
		"<backingStore type='file'><format type='qcow2'/><source file='/vm/a.qcow2'/><backingStore/></backingStore>";
	const { xml } = withDevice(
		`<disk type='file' device='lun' rawio='yes' sgio='unfiltered'><driver name='qemu' type='raw'/>${source}${below}<target dev='vda' bus='virtio'/></disk>`,
		{ disks: [{ target: "vda", path: "/new/vda.qcow2" }] },
	);
	t.false(/vm\/a|luks|rawio|lun/.test(xml));
	t.regex(xml, /<disk type='file' device='disk'>/);
});

test("new disks › take a disk that only the running VM had from its live definition", (t) => {
	const live = aDomain(
		"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/vm/hot.raw'/><target dev='sdc' bus='scsi'/><serial>HOT</serial><alias name='scsi0-0-0-2'/><address type='drive' unit='2'/></disk>",
	);
	const { xml, changed } = withDevice("", {
		live,
		disks: [{ target: "sdc", path: "/new/sdc.qcow2" }],
	});
	t.regex(xml, /<target dev='sdc' bus='scsi'\/>\s*<serial>HOT<\/serial>/);
	t.false(/hot\.raw|address|alias/.test(xml));
	t.is(changed.length, 1);
});

test("new disks › guess the bus of a disk that no definition has", (t) => {
	const { xml } = withDevice("", { disks: [{ target: "vdz", path: "/new/vdz.qcow2" }] });
	t.regex(xml, /<source file='\/new\/vdz\.qcow2'\/>\s*<target dev='vdz' bus='virtio'\/>/);
});

test("new disks › take a target once, whatever the definition says", (t) => {
	const one =
		"<disk type='file' device='disk'><source file='/x'/><target dev='vda' bus='virtio'/></disk>";
	const { xml } = withDevice(one + one, { disks: [{ target: "vda", path: "/new/vda.qcow2" }] });
	t.is(xml.split("<disk").length - 1, 1);
});
