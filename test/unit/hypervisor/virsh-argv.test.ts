import test from "ava";
import { disksOfDomain } from "../../../apps/host-daemon/src/hypervisor/domain-images.ts";
import { snapshotXml, virshArgv } from "../../../apps/host-daemon/src/hypervisor/virsh-argv.ts";
import {
	attributeOf,
	elementOf,
	elementsOf,
	parseXml,
} from "../../../apps/host-daemon/src/hypervisor/xml-document.ts";

const UUID = "0b0f3e9a-6f3e-4f6c-9d0c-2f6f6a3f9a01";

test("virshArgv › gives names and paths that begin with a dash as values of their option", (t) => {
	t.deepEqual(virshArgv.snapshotXml(UUID, "-dash"), [
		"snapshot-dumpxml",
		UUID,
		"--snapshotname=-dash",
		"--security-info",
	]);
	t.deepEqual(virshArgv.volumePath("-p", "-v"), ["vol-path", "--pool=-p", "--vol=-v"]);
});

test("virshArgv › commits the active image by --active and a middle one by --top", (t) => {
	const disk = { target: "vda", base: "/v", top: "/o" };
	t.deepEqual(virshArgv.blockcommit(UUID, { ...disk, active: true }), [
		"blockcommit",
		UUID,
		"vda",
		"--base=/v",
		"--active",
	]);
	t.deepEqual(virshArgv.blockcommit(UUID, { ...disk, active: false }), [
		"blockcommit",
		UUID,
		"vda",
		"--base=/v",
		"--top=/o",
	]);
});

test("virshArgv › limits a pull only when a rate is given", (t) => {
	t.deepEqual(virshArgv.blockpull(UUID, "vda", 0), ["blockpull", UUID, "vda"]);
	t.deepEqual(virshArgv.blockpull(UUID, "vda", 1000).slice(3), ["--bandwidth=1000", "--bytes"]);
});

test("virshArgv › never removes the state of a TPM together with NVRAM that is kept", (t) => {
	const kept = virshArgv.undefine(UUID, { nvram: true, tpm: true });
	t.true(kept.includes("--keep-nvram") && kept.includes("--keep-tpm"));
	t.true(virshArgv.undefine(UUID, { nvram: false, tpm: false }).includes("--nvram"));
});

test("snapshotXml › names every disk, and an overlay with any sign in its path", (t) => {
	const path = `/a 'b' "c" & <d>\n.qcow2`;
	const xml = parseXml(snapshotXml([{ target: "vda", path }], ["vda", "vdb"]), "domainsnapshot");
	t.deepEqual(disksOfDomain(xml), []);
	const disks = elementsOf(elementOf(xml, "disks"), "disk");
	t.deepEqual(
		disks.map((disk) => [attributeOf(disk, "name"), attributeOf(disk, "snapshot")]),
		[
			["vda", "external"],
			["vdb", "no"],
		],
	);
	const [first] = disks;
	t.is(attributeOf(elementOf(first, "source"), "file"), path);
	t.is(attributeOf(elementOf(first, "driver"), "type"), "qcow2");
});
