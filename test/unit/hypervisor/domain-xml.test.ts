import test from "ava";
import {
	isLiveDefinition,
	readSnapshot,
	readVm,
	type VmAnswers,
	volumeKey,
	volumesIn,
} from "../../../apps/host-daemon/src/hypervisor/domain-xml.ts";
import { fromVirsh } from "./recorded.ts";

const volume = { pool: "images", volume: "web-volume.qcow2" };

const answers: VmAnswers = {
	state: "running",
	persistent: true,
	managedSave: false,
	run: "boot:1@2",
	snapshots: [],
	checkpoints: 0,
	volumes: new Map([[volumeKey(volume), { kind: "file", path: "/srv/vms/pool/web-volume.qcow2" }]]),
	busy: new Set(),
};

const inactive = fromVirsh("dumpxml-off.xml");
const minimal = (devices: string, more = ""): string =>
	`<domain><name>n</name><uuid>0b0f3e9a-6f3e-4f6c-9d0c-2f6f6a3f9a01</uuid><memory unit='MiB'>2</memory>${more}<devices>${devices}</devices></domain>`;

const plain = {
	readonly: false,
	shareable: false,
	transient: false,
	encrypted: false,
	busy: false,
};

test("readVm › reads a running VM's disks, tags, memory and channel", (t) => {
	const live = fromVirsh("dumpxml-running.xml");
	const vm = readVm({ inactive, live }, answers);
	t.is(vm.uuid, "0b0f3e9a-6f3e-4f6c-9d0c-2f6f6a3f9a01");
	t.is(vm.name, "web & shop");
	t.is(vm.memory, 64 * 1024 * 1024);
	t.deepEqual(vm.tags, ["production", "nightly"]);
	t.true(vm.agentChannel);
	t.false(vm.tpm);
	t.is(vm.nvram, undefined);
	t.deepEqual(vm.disks, [
		{
			...plain,
			target: "vda",
			bus: "virtio",
			device: "disk",
			source: "file",
			path: "/srv/vms/root, of web.qcow2",
			format: "qcow2",
		},
		{
			...plain,
			target: "vdb",
			bus: "virtio",
			device: "disk",
			source: "block",
			path: "/dev/loop0",
			format: "raw",
		},
		{
			...plain,
			target: "vdc",
			bus: "virtio",
			device: "disk",
			source: "file",
			path: "/srv/vms/pool/web-volume.qcow2",
			format: "qcow2",
		},
		{
			...plain,
			target: "vdd",
			bus: "virtio",
			device: "disk",
			source: "file",
			path: "/srv/vms/shared.raw",
			format: "raw",
			shareable: true,
		},
		{
			...plain,
			target: "sda",
			bus: "sata",
			device: "cdrom",
			source: "file",
			path: "/srv/vms/cd.iso",
			format: "raw",
			readonly: true,
		},
		{ ...plain, target: "sdb", bus: "sata", device: "cdrom", source: "file", readonly: true },
	]);
	t.deepEqual(vm.xml, { inactive, live });
});

test("readVm › takes the disks of a VM that is off from its inactive definition", (t) => {
	const vm = readVm({ inactive }, { ...answers, state: "shut off" });
	t.is(vm.disks[0]?.path, "/srv/vms/root, of web.qcow2");
	t.true(vm.xml.inactive.includes("passwd='g&lt;1&gt;'"), "with its passwords");
});

test("readVm › calls a disk busy while something is copied from it", (t) => {
	const live = fromVirsh("dumpxml-mirror.xml");
	const vm = readVm({ inactive, live }, { ...answers, busy: new Set(["vdc"]) });
	t.deepEqual(
		vm.disks.filter((disk) => disk.busy).map((disk) => disk.target),
		["vda", "vdc"],
	);
});

test("readVm › shows a volume that cannot be resolved without a path", (t) => {
	const vm = readVm({ inactive }, { ...answers, volumes: new Map() });
	t.like(vm.disks[2], { target: "vdc", source: "other", path: undefined });
});

test("readVm › tells network disks, encryption, transient disks and LUNs", (t) => {
	const xml = minimal(`
		<disk type='network' device='disk'><source protocol='rbd' name='pool/x'/><target dev='vda' bus='virtio'/></disk>
		<disk type='file' device='disk'><driver type='qcow2'/><source file='/e'><encryption format='luks'/></source><target dev='vdb'/></disk>
		<disk type='file' device='disk'><driver type='qcow2'/><source file='/t'/><target dev='vdc'/><transient/></disk>
		<disk type='block' device='lun'><source dev='/dev/sdx'/><target dev='sda' bus='scsi'/></disk>
		<disk type='vhostuser'><source type='unix' path='/s'/><target dev='vdd'/></disk>`);
	const { disks } = readVm({ inactive: xml }, answers);
	t.like(disks[0], { source: "network", path: undefined, format: undefined });
	t.true(disks[1]?.encrypted);
	t.true(disks[2]?.transient);
	t.like(disks[3], { device: "lun", source: "block", path: "/dev/sdx" });
	t.like(disks[4], { device: "disk", source: "other" });
});

test("readVm › finds NVRAM in both of libvirt's forms, and a TPM", (t) => {
	const tpm = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>";
	const old = readVm({ inactive: minimal(tpm, "<os><nvram>/n.fd</nvram></os>") }, answers);
	t.like(old, { nvram: "/n.fd", tpm: true });
	const source = "<os><nvram type='file'><source file='/m.fd'/></nvram></os>";
	t.like(readVm({ inactive: minimal("", source) }, answers), { nvram: "/m.fd", tpm: false });
});

test("isLiveDefinition › goes by the id that libvirt gives a running VM", (t) => {
	t.true(isLiveDefinition(fromVirsh("dumpxml-running.xml")));
	t.false(isLiveDefinition(inactive));
});

test("volumesIn › lists volumes of storage pools", (t) => {
	t.deepEqual(
		volumesIn(inactive).map(({ pool, volume: name }) => ({ pool, volume: name })),
		[volume],
	);
});

test("readSnapshot › names its overlays and the images of the definitions kept in it", (t) => {
	const snapshot = readSnapshot(fromVirsh("snapshot-disk.xml"));
	t.like(snapshot, { name: "-dash", memory: false });
	t.deepEqual(snapshot.files.slice(0, 3), [
		"/srv/vms/ov2.qcow2",
		"/srv/vms/ov1.qcow2",
		"/srv/vms/root, of web.qcow2",
	]);
});

test("readSnapshot › counts a memory image", (t) => {
	const snapshot = readSnapshot(fromVirsh("snapshot-memory.xml"));
	t.true(snapshot.memory);
	t.true(snapshot.files.includes("/srv/vms/memory.save"));
	t.deepEqual(snapshot.frozen.slice(0, 2), ["/srv/vms/memory.save", "/srv/vms/ov2.qcow2"]);
	t.false(snapshot.frozen.includes("/srv/vms/ov3.qcow2"), "what it made goes on being written");
});

const tagged = (...tags: readonly string[]): string =>
	minimal(
		"",
		`<metadata><knib:settings xmlns:knib="https://knib.invalid/metadata">${tags
			.map((tag) => `<knib:tag>${tag}</knib:tag>`)
			.join("")}</knib:settings><other:tag xmlns:other="x">theirs</other:tag></metadata>`,
	);

test("readVm › tags are those of both definitions, each once", (t) => {
	const xml = { live: tagged("prod", " a &amp; b "), inactive: tagged("prod", "new") };
	t.deepEqual(readVm(xml, answers).tags, ["prod", "a & b", "new"]);
});

test("readVm › what cannot be a tag is left out, and there is an end to tags", (t) => {
	const odd = ["", "  ", "x".repeat(201), "a&#27;[31mb", "a\u202eb", "fine"];
	t.deepEqual(readVm({ inactive: tagged(...odd) }, answers).tags, ["fine"]);
	const many = Array.from({ length: 1000 }, (_, n) => `t${n}`);
	t.is(readVm({ inactive: tagged(...many) }, answers).tags.length, 64);
});
