import { KnibError } from "@knib/core";
import test from "ava";
import {
	afterMerge,
	type MergedImages,
	storedChain,
} from "../../../apps/host-daemon/src/hypervisor/domain-rewrite.ts";
import { type Volumes, volumeKey } from "../../../apps/host-daemon/src/hypervisor/domain-xml.ts";
import { parseXml, writeXml } from "../../../apps/host-daemon/src/hypervisor/xml-document.ts";
import { fromVirsh } from "./recorded.ts";

const OV1 = "/srv/vms/ov1.qcow2";
const OV2 = "/srv/vms/ov2.qcow2";
const OV3 = "/srv/vms/ov3.qcow2";
const ROOT = "/srv/vms/root, of web.qcow2";

const chained = fromVirsh("dumpxml-chain-inactive.xml");
const onRoot = { path: ROOT, format: "qcow2", kind: "file" } as const;
const volume = { pool: "images", volume: "web-volume.qcow2" };
const volumes: Volumes = new Map([[volumeKey(volume), { kind: "file", path: "/pool/web.qcow2" }]]);
const chainIn = (xml: string, target: string) => storedChain(xml, target, volumes);
const merge = (merged: readonly string[], base: MergedImages["base"] = onRoot): MergedImages => ({
	target: "vda",
	merged,
	base,
	volumes,
});
const after = (xml: string, change: MergedImages): string => afterMerge(xml, change) ?? "unchanged";
const unspaced = (xml: string): string =>
	writeXml(parseXml(xml, "domain")).replaceAll(/>\s+</g, "><");

test("storedChain › lists what a definition stores, top first", (t) => {
	t.deepEqual(chainIn(chained, "vda"), [OV3, OV2, OV1, ROOT]);
	t.deepEqual(chainIn(chained, "vdb"), ["/dev/loop0"]);
	t.deepEqual(chainIn(chained, "vdc"), ["/pool/web.qcow2"]);
	t.deepEqual(storedChain(chained, "vdc", new Map()), []);
	t.throws(() => chainIn(chained, "vdz"), { instanceOf: KnibError, code: "NOT_FOUND" });
});

test("afterMerge › leaves out a merged middle image and nothing else", (t) => {
	const ov1 = { path: OV1, format: "qcow2", kind: "file" } as const;
	const changed = after(chained, merge([OV2], ov1));
	t.deepEqual(chainIn(changed, "vda"), [OV3, OV1, ROOT]);
	const block = (path: string): string =>
		`<backingStore type="file"><format type="qcow2"/><source file="${path}"/>`;
	const expected = unspaced(chained).replace(block(OV2), "").replace("</backingStore>", "");
	t.is(unspaced(changed), expected);
});

test("afterMerge › puts the disk on the base when the active image was merged", (t) => {
	const changed = after(chained, merge([OV3, OV2, OV1]));
	t.deepEqual(chainIn(changed, "vda"), [ROOT]);
	t.regex(changed, /<source file="\/srv\/vms\/root, of web.qcow2"\/>/);
	t.true(changed.includes('passwd="g&lt;1&gt;"'));
	t.true(changed.includes("<knib:tag>production</knib:tag>"));
});

test("afterMerge › keeps the part of the chain below the base", (t) => {
	const ov2 = { path: OV2, format: "qcow2", kind: "file" } as const;
	const changed = after(chained, merge([OV3], ov2));
	t.deepEqual(chainIn(changed, "vda"), [OV2, OV1, ROOT]);
});

test("afterMerge › says when the definition has it so already", (t) => {
	const changed = after(chained, merge([OV3, OV2, OV1]));
	t.is(afterMerge(changed, merge([OV3, OV2, OV1])), undefined);
	t.is(afterMerge(fromVirsh("dumpxml-off.xml"), merge(["/elsewhere.qcow2"])), undefined);
});

test("afterMerge › turns the disk into a block device of the base's format", (t) => {
	const base = { path: "/dev/vg/lv", format: "raw", kind: "block" } as const;
	const xml = fromVirsh("dumpxml-off.xml");
	const changed = after(xml, merge([ROOT], base));
	t.regex(
		unspaced(changed),
		/<disk type="block" device="disk"><driver name="qemu" type="raw" cache="none" discard="unmap"\/><source dev="\/dev\/vg\/lv"\/>/,
	);
});

test("afterMerge › takes over what the stored chain says of the base", (t) => {
	const label = `<seclabel model='dac' relabel='no'/>`;
	const xml = `<domain><devices><disk type='file'><driver name='qemu' type='qcow2'/><source file='/o'/><backingStore type='block'><format type='raw'/><source dev='/dev/x'>${label}</source><backingStore/></backingStore><target dev='vda'/></disk></devices></domain>`;
	const base = { path: "/dev/x", format: "raw", kind: "block" } as const;
	t.is(
		after(xml, merge(["/o"], base)),
		`<domain><devices><disk type="block"><driver name="qemu" type="raw"/><source dev="/dev/x"><seclabel model="dac" relabel="no"/></source><backingStore/><target dev="vda"/></disk></devices></domain>`,
	);
});

test("afterMerge › names a volume of a pool as one again", (t) => {
	const stored = `<backingStore type='volume'><format type='qcow2'/><source pool='images' volume='web-volume.qcow2'/><backingStore/></backingStore>`;
	const xml = `<domain><devices><disk type='file'><driver type='qcow2'/><source file='/o'/>${stored}<target dev='vda'/></disk></devices></domain>`;
	const base = { path: "/pool/web.qcow2", format: "qcow2", kind: "file" } as const;
	t.is(
		after(xml, merge(["/o"], base)),
		`<domain><devices><disk type="volume"><driver type="qcow2"/><source pool="images" volume="web-volume.qcow2"/><backingStore/><target dev="vda"/></disk></devices></domain>`,
	);
});

test("afterMerge › refuses a definition without the disk", (t) => {
	t.throws(() => afterMerge(chained, { ...merge([OV1]), target: "vdz" }), {
		instanceOf: KnibError,
		code: "NOT_FOUND",
	});
});
