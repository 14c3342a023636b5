import test from "ava";
import { mountOptionsOf } from "../../../apps/host-daemon/src/facts/gather-quick.ts";
import {
	diskOverLayers,
	onThemselves,
	overLayers,
	policiesOf,
} from "../../../apps/host-daemon/src/hypervisor/backing-stores.ts";

const XML = `<domain type='kvm'><name>a</name><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none' error_policy='report'/><source file='/vm/a.qcow2'/><target dev='vda' bus='virtio'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/vm/b.qcow2'/><target dev='vdb' bus='virtio'/></disk>
</devices></domain>`;

const DISK = { target: "vda", layers: ["/r/2/vda.qcow2", "/r/1/vda.qcow2"] };

test("overLayers › names every layer, labels none, and pauses on trouble", (t) => {
	const xml = overLayers(XML, [DISK], ["dac", "selinux"]);
	t.deepEqual(
		[...xml.matchAll(/<source file="([^"]*)"/g)].map((one) => one[1]),
		["/vm/a.qcow2", ...DISK.layers, "/vm/b.qcow2"],
	);
	t.is(xml.split('relabel="no"').length - 1, 4);
	t.is(xml.split('error_policy="stop"').length - 1, 2);
	t.regex(xml, /<backingStore\/>/);
	t.regex(xml, /cache="none"/);
	t.regex(xml, /<driver name="qemu" type="qcow2"\/><source file="\/vm\/b/);
});

test("onThemselves › brings back what the disks did on trouble, and takes the layers away", (t) => {
	const policies = policiesOf(XML);
	t.deepEqual(policies, {
		vda: { write: "report", read: null },
		vdb: { write: null, read: null },
	});
	const quick = overLayers(XML, [DISK], ["dac"]);
	const after = onThemselves(quick, [
		{ target: "vda", policies: policies["vda"] ?? { write: null, read: null } },
	]);
	t.is(after, onThemselves(XML, []));
});

test("diskOverLayers › gives a disk without a driver one", (t) => {
	const disk = "<disk type='file' device='disk'><source file='/x'/><target dev='vdc'/></disk>";
	t.regex(diskOverLayers(disk, ["/r/1.qcow2"], []), /<driver [^>]*rerror_policy="stop"/);
});

test("mountOptionsOf › takes the innermost mount, and the last one on it", (t) => {
	const mounts = [
		"22 1 0:20 / / rw - ext4 /dev/sda rw",
		"23 22 0:21 / /srv rw - nfs4 a:/ rw,hard",
		"24 22 0:22 / /srv rw - nfs4 b:/ rw,soft",
		"25 22 0:23 / /srv2 rw - nfs4 c:/ rw,hard",
	].join("\n");
	t.is(mountOptionsOf(mounts, "/srv/backup/x"), "rw,soft");
	t.is(mountOptionsOf(mounts, "/srv2"), "rw,hard");
	t.is(mountOptionsOf(mounts, "/else"), "rw");
});
