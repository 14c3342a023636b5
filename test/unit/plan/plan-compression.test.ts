import {
	type CompressionFacts,
	finalizeCompressionRequestSchema,
	isNotNow,
	isRefusal,
	type Layer,
	type LayerPlan,
	layerLibrary,
	membersOfChain,
	type PublishedBackup,
	planBackup,
	planFinalizeCompression,
	planStartCompression,
	startCompressionRequestSchema,
} from "@knib/core";
import test from "ava";
import {
	aDiskOn,
	anImage,
	anOpenChain,
	backupId,
	someFacts,
	VM_UUID,
} from "../../support/builders/facts.ts";
import { aLayer } from "../../support/builders/manifest.ts";

const facts = (
	layers: readonly Layer[],
	override: Partial<CompressionFacts> = {},
	marks: Partial<PublishedBackup["marks"]> = {},
): CompressionFacts => {
	const open = anOpenChain(2, { vda: "/vm/a.qcow2" });
	const [first, second] = open.chain.members;
	if (first === undefined || second === undefined) throw new Error("no members");
	const { manifest } = second;
	const backup: PublishedBackup = {
		path: "/repo/chain/0002-b",
		manifest: { ...manifest, generation: { ...manifest.generation, layers: [...layers] } },
		marks: { ...second.marks, ...marks },
	};
	const chain = { ...open.chain, members: [first, backup] };
	return {
		view: { id: backupId(2), vm: { uuid: VM_UUID, name: "web01" } },
		found: { backup, chain, repository: open.repository },
		admission: {
			vm: VM_UUID,
			members: membersOfChain(chain),
			ended: false,
			activities: [],
			holds: [],
		},
		library: "zstd",
		images: new Map(layers.map(({ target }) => [target, { compat: "1.1", actualSize: 1 }])),
		compressed: new Map(
			layers.map(({ target }) => [target, { path: `/repo/${target}.c`, there: false }]),
		),
		switching: false,
		free: 1 << 30,
		minimumFree: 1,
		coroutines: 4,
		rate: 0,
		...override,
	};
};

const start = (given: CompressionFacts, library?: "zstd" | "zlib") =>
	planStartCompression({
		...given,
		request: startCompressionRequestSchema.parse({
			type: "StartCompression",
			backup: backupId(2),
			...(library === undefined ? {} : { library }),
		}),
	});
const finalize = (given: CompressionFacts) =>
	planFinalizeCompression({
		...given,
		request: finalizeCompressionRequestSchema.parse({
			type: "FinalizeCompression",
			backup: backupId(2),
		}),
	});

const librariesOf = (given: CompressionFacts, library?: "zstd" | "zlib"): readonly string[] => {
	const plan = start(given, library);
	if (isRefusal(plan)) throw new Error(plan.message);
	return plan.steps.flatMap((step) =>
		step.kind === "compress-layers" ? step.layers.map((layer) => layer.library) : [],
	);
};

const layer = (override: Partial<Layer> = {}): Layer =>
	aLayer({ backing: "../0001-a/vda.qcow2", ...override });

test("planStartCompression › verifies before it compresses, onto the parent's layer", (t) => {
	const plan = start(facts([layer()]));
	if (isRefusal(plan)) throw new Error(plan.message);
	t.deepEqual(
		plan.steps.map((step) => step.kind),
		["begin-compression", "verify-old-layers", "compress-layers"],
	);
	const [one] = plan.steps.flatMap((step) => (step.kind === "compress-layers" ? step.layers : []));
	t.is(one?.backing, "/repo/chain/0001-a/vda.qcow2");
	t.is(one?.backingName, "../0001-a/vda.qcow2");
});

test("planStartCompression › takes the library that is asked for, and zlib for qcow2 version 2", (t) => {
	t.deepEqual(librariesOf(facts([layer()])), ["zstd"]);
	t.deepEqual(librariesOf(facts([layer()]), "zlib"), ["zlib"]);
	t.deepEqual(librariesOf(facts([layer({ source: "qcow2 version 2" })]), "zstd"), ["zlib"]);
	const old = new Map([["vda", { compat: "0.10", actualSize: 1 }]]);
	t.deepEqual(librariesOf(facts([layer()], { images: old }), "zstd"), ["zlib"]);
});

test("planStartCompression › does not begin without the space that the setting asks for", (t) => {
	const given = facts([layer({ allocated: 1000 })], { free: 1999, minimumFree: 2 });
	const plan = start(given);
	t.true(isRefusal(plan) && plan.code === "REPOSITORY_NO_SPACE");
	t.false(isRefusal(start({ ...given, free: 2000 })));
});

test("planStartCompression › refuses what is compressed already, and what is gone", (t) => {
	const done = start(facts([layer({ compression: "zstd" })]));
	t.true(isRefusal(done) && done.code === "REFUSED");
	const gone = start(facts([layer()], { found: null }));
	t.true(isRefusal(gone) && gone.code === "NOT_FOUND");
});

const made = new Map([["vda", { path: "/repo/vda.c", there: true }]]);

test("planFinalizeCompression › waits while the chain is held, which is no failure", (t) => {
	const given = facts([layer()], { compressed: made });
	const held = finalize({ ...given, admission: { ...given.admission, holds: ["restore"] } });
	t.true(isRefusal(held) && isNotNow(held));
	t.false(isRefusal(finalize(given)));
});

test("planFinalizeCompression › deletes the compressed files of a backup that was removed", (t) => {
	const removed = { at: "2026-01-02T03:04:05.000Z", by: "test" };
	const plan = finalize(facts([layer()], { compressed: made }, { removed }));
	if (isRefusal(plan)) throw new Error(plan.message);
	t.deepEqual(
		plan.steps.map((step) => step.kind),
		["discard-compressed"],
	);
});

test("planFinalizeCompression › ends a switch that was begun, without proving anew", (t) => {
	const plan = finalize(facts([layer()], { switching: true }));
	if (isRefusal(plan)) throw new Error(plan.message);
	t.deepEqual(
		plan.steps.map((step) => step.kind),
		["begin-finalize", "switch-layers"],
	);
});

test("planBackup › notes that the VM's own image is qcow2 version 2", (t) => {
	const disk = aDiskOn("vda", ["/vm/a.qcow2"]);
	const images = [anImage({ path: "/vm/a.qcow2", compat: "0.10" })];
	const plan = planBackup(someFacts({ disks: [{ ...disk, images }] }));
	if (isRefusal(plan)) throw new Error(plan.message);
	const [copied] = plan.steps.flatMap((step) => (step.kind === "copy-layers" ? step.layers : []));
	t.is(copied?.source, "qcow2 version 2");
	t.is(layerLibrary(copied ?? { images: [] }, "zstd"), "zlib");
	const two: Pick<LayerPlan, "images"> = {
		images: [...(copied?.images ?? []), { path: "/b", format: "qcow2" }],
	};
	t.is(layerLibrary(two, "zstd"), null);
});
