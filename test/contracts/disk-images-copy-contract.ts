// The part of the contract of DiskImages that is about copying, comparing and merging.
import { aChain, type ImagesTest } from "./disk-images-chain.ts";
import { MIB, rejectsWith } from "./image-harness.ts";

/** Registers the tests. */
export const copyContract = (test: ImagesTest): void => {
	for (const format of ["qcow2", "raw"] as const) {
		test(`convert › copies a whole chain into one ${format} image`, async (t) => {
			const { images, directory } = t.context.harness;
			const { b } = await aChain(t);
			const target = { path: `${directory}/copy`, format };
			const seen: number[] = [];
			await images.convert({ source: b, target }, { onProgress: (done) => seen.push(done) });
			t.is(seen.at(-1), 1);
			t.true((await images.compare(b, target)).identical);
			t.is((await images.chain(target.path, format)).length, 1);
		});
	}
	test("convert › copies only the top image when it gets a backing file", async (t) => {
		const { images, directory } = t.context.harness;
		const { base, a, b } = await aChain(t);
		const copy = { path: `${directory}/copy.qcow2`, format: "qcow2" as const };
		await images.convert({ source: b, target: { ...copy, extendedL2: true }, backing: base });
		t.is(await t.context.harness.read(copy, 2 * MIB), 3);
		t.is(await t.context.harness.read(copy, 0), 1, "what a holds is not in it");
		t.like(await images.info(copy.path, "qcow2"), { backing: base, extendedL2: true });
		t.false((await images.compare(b, copy)).identical);
		t.true((await images.compare(b, copy, { topOnly: true })).identical);
		const onto = { path: `${directory}/onto.qcow2`, format: "qcow2" as const };
		await images.convert({ source: b, target: onto, backing: a });
		t.true((await images.compare(b, onto)).identical);
	});
	test("convert › compresses", async (t) => {
		const { images, directory } = t.context.harness;
		const { b } = await aChain(t);
		const copy = { path: `${directory}/copy.qcow2`, format: "qcow2" as const };
		await images.convert({ source: b, target: { ...copy, compression: "zstd" }, coroutines: 2 });
		t.is((await images.info(copy.path, "qcow2")).compressionType, "zstd");
		t.true((await images.compare(b, copy)).identical);
	});
	test("convert › overwrites nothing, and leaves nothing of a copy that fails", async (t) => {
		const { images, directory } = t.context.harness;
		const { base, b } = await aChain(t);
		const there = { path: base.path, format: "qcow2" as const };
		await rejectsWith(t, images.convert({ source: b, target: there }), "EXISTS");
		t.is(await t.context.harness.read(base, 0), 1);
		const target = { path: `${directory}/copy.qcow2`, format: "qcow2" as const };
		const source = { path: `${directory}/none`, format: "qcow2" };
		await rejectsWith(t, images.convert({ source, target }), "COMMAND_FAILED");
		const signal = AbortSignal.abort();
		await rejectsWith(t, images.convert({ source: b, target }, { signal }), "CANCELLED");
		t.false(await images.exists(target.path));
		const beside = await images.imagesBeside(base.path);
		t.is(beside.length, 3);
	});
	test("commitFile › puts what an image holds into the one below", async (t) => {
		const { images } = t.context.harness;
		const { base, a } = await aChain(t);
		await images.commitFile(a.path);
		t.is(await t.context.harness.read(base, 0), 2);
		await rejectsWith(t, images.commitFile(base.path), "COMMAND_FAILED");
	});
	test("compare › says where images differ, and when their sizes do", async (t) => {
		const { images } = t.context.harness;
		const { base, a, b } = await aChain(t);
		t.deepEqual(await images.compare(base, a), {
			identical: false,
			message: "Content mismatch at offset 0!",
		});
		t.is((await images.compare(a, b)).message, `Content mismatch at offset ${2 * MIB}!`);
		const larger = {
			path: await t.context.harness.image("larger.qcow2", { format: "qcow2", size: 16 * MIB }),
			format: "qcow2",
		};
		t.regex((await images.compare(base, larger)).message, /virtual sizes differ/);
	});
	test("map › tells data of the top image from what lies below", async (t) => {
		const { b } = await aChain(t);
		const extents = await t.context.harness.images.map(b.path, "qcow2");
		const at = (offset: number) =>
			extents.find(({ start, length }) => start <= offset && offset < start + length);
		t.like(at(2 * MIB), { depth: 0, present: true, data: true, zero: false });
		t.like(at(0), { depth: 1, present: true, data: true });
		t.like(at(6 * MIB), { present: false, data: false, zero: true });
	});
};
