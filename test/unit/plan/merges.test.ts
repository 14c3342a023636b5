import {
	type ChainImage,
	type FileUse,
	type MergePlan,
	overlayPath,
	planMerges,
	whyNotMerge,
} from "@knib/core";
import test from "ava";
import { aFile, backupId, VM_UUID } from "../../support/builders/facts.ts";

const BASE = "/vm/a.qcow2";
const over = (n: number): string => overlayPath(BASE, "vda", backupId(n));
const image = (path: string, snapshots: readonly string[] = []): ChainImage => ({
	path,
	format: "qcow2",
	snapshots,
});

test("planMerges › finds runs of our overlays and leaves the operator's snapshots alone", (t) => {
	const merges = planMerges(
		"vda",
		[over(3), "/vm/snap", over(2), over(1), BASE].map((path) => image(path)),
		{
			keepTop: true,
		},
	);
	t.deepEqual(
		merges.map((merge) => [merge.top, merge.base.path, merge.overlays.length]),
		[[over(2), BASE, 2]],
	);
});

test("planMerges › merges the image in use too when the chain ends, the lowest run first", (t) => {
	const merges = planMerges(
		"vda",
		[over(3), "/vm/snap", over(1), BASE].map((path) => image(path)),
		{
			keepTop: false,
		},
	);
	t.deepEqual(
		merges.map((merge) => merge.base.path),
		[BASE, "/vm/snap"],
	);
});

const merge: MergePlan = {
	target: "vda",
	base: { path: BASE, format: "qcow2" },
	top: over(1),
	overlays: [over(1)],
	recorded: aFile(BASE),
};
const images = [image(over(2)), image(over(1)), image(BASE)];

const use = (override: Partial<FileUse>): FileUse => ({
	path: BASE,
	file: null,
	vm: VM_UUID,
	where: "inactive",
	writable: false,
	...override,
});

const why = (uses: readonly FileUse[], base = aFile(BASE), chain = images): string | undefined =>
	whyNotMerge(merge, {
		vm: VM_UUID,
		images: chain,
		uses,
		files: new Map([[BASE, "file 1:7"]]),
		proofs: [{ now: base, before: aFile(BASE) }],
	});

test("whyNotMerge › allows a merge into a base that only this VM stands on", (t) => {
	t.is(why([use({ where: "backing" }), use({ path: over(1), where: "backing" })]), undefined);
});

test("whyNotMerge › refuses what others use, branches, snapshots and orphans", (t) => {
	t.regex(why([use({ vm: "another" })]) ?? "", /used elsewhere/);
	t.regex(why([use({ where: "snapshot" })]) ?? "", /used elsewhere \(snapshot/);
	t.regex(why([use({ where: "managed save" })]) ?? "", /managed save/);
	t.regex(why([], aFile(BASE), [image(over(2)), image(BASE)]) ?? "", /orphan/);
	t.regex(
		why([], aFile(BASE), [image(over(2)), image(over(1)), image("/vm/x"), image(BASE)]) ?? "",
		/not where they were/,
	);
	t.regex(
		why([], aFile(BASE), [image(over(2)), image(over(1), ["mine"]), image(BASE)]) ?? "",
		/internal snapshot/,
	);
});

test("whyNotMerge › knows a file by itself, not by its name", (t) => {
	const linked = { path: "/elsewhere/hard-link", vm: "another" };
	t.regex(why([use({ ...linked, file: "file 1:7" })]) ?? "", /used elsewhere/);
	t.is(why([use({ ...linked, file: "file 1:8" })]), undefined);
	t.is(why([use({ ...linked, file: null })]), undefined);
});

test("whyNotMerge › refuses what another disk of the same VM stands on", (t) => {
	t.regex(why([use({ target: "vdb", where: "backing" })]) ?? "", /used elsewhere/);
	t.is(why([use({ target: "vda", where: "backing" })]), undefined);
});

test("whyNotMerge › refuses a base that something else has written", (t) => {
	t.regex(why([], aFile(BASE, { mtime: "2000" })) ?? "", /was written by something else/);
	const facts = { vm: VM_UUID, images, uses: [], files: new Map(), proofs: [] };
	t.is(whyNotMerge(merge, facts), undefined, "nothing can be compared after a first attempt");
});
