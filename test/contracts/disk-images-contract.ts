// The contract of DiskImages: one suite over qemu-img and over the in-memory twin.
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type ImageHarness, MIB, overlayOn, rejectsWith } from "./image-harness.ts";

export type ImagesTest = TestFn<{ harness: ImageHarness }>;
type T = ExecutionContext<{ harness: ImageHarness }>;

const SIZE = 8 * MIB;
const FIRST = { start: 0, length: MIB };

/** A base with 1 in its first MiB. */
const aBase = async (t: T, format: "qcow2" | "raw" = "qcow2", name = `base.${format}`) => {
	const { harness } = t.context;
	const base = { path: await harness.image(name, { format, size: SIZE }), format };
	await harness.fill(base, { ...FIRST, value: 1 });
	return base;
};

/** base ← a (2 at 0) ← b (3 at 2 MiB). */
const aChain = async (t: T) => {
	const base = await aBase(t);
	const a = await overlayOn(t.context.harness, "a.qcow2", base, { ...FIRST, value: 2 });
	const b = await overlayOn(t.context.harness, "b.qcow2", a, {
		start: 2 * MIB,
		length: MIB,
		value: 3,
	});
	return { base, a, b };
};

const overlays = (test: ImagesTest): void => {
	for (const format of ["qcow2", "raw"] as const) {
		test(`createOverlay › stands on a ${format} image and shows its contents`, async (t) => {
			const { harness } = t.context;
			const base = await aBase(t, format);
			const overlay = await overlayOn(harness, "o.qcow2", base);
			t.like(await harness.images.info(overlay.path, "qcow2"), {
				path: overlay.path,
				format: "qcow2",
				virtualSize: SIZE,
				backing: base,
				snapshots: [],
				encrypted: false,
				dirty: false,
			});
			t.is(await harness.read(overlay, 0), 1);
			t.is(await harness.read(overlay, 4 * MIB), 0);
		});
	}
	test("createOverlay › has exactly the size it is given", async (t) => {
		const { images, directory } = t.context.harness;
		const base = await aBase(t);
		const path = `${directory}/o.qcow2`;
		const overlay = { path, backing: base.path, backingFormat: "qcow2", size: 12 * MIB };
		await images.createOverlay(overlay);
		t.is((await images.info(path, "qcow2")).virtualSize, 12 * MIB);
	});
	test("createOverlay › overwrites nothing and needs its backing file", async (t) => {
		const { images, directory } = t.context.harness;
		const base = await aBase(t);
		const overlay = { path: base.path, backing: base.path, backingFormat: "qcow2", size: SIZE };
		await rejectsWith(t, images.createOverlay(overlay), "EXISTS");
		t.is(await t.context.harness.read(base, 0), 1);
		const path = `${directory}/o.qcow2`;
		const gone = { path, backing: `${directory}/none`, backingFormat: "qcow2", size: SIZE };
		await rejectsWith(t, images.createOverlay(gone), "COMMAND_FAILED", "NOT_FOUND");
		t.false(await images.exists(path));
	});
	test("createOverlay › takes owner and mode of a disk", async (t) => {
		const { images } = t.context.harness;
		const base = await aBase(t);
		const overlay = await overlayOn(t.context.harness, "o.qcow2", base);
		const [like, own] = [await images.facts(base.path), await images.facts(overlay.path)];
		t.deepEqual([own.uid, own.gid, own.mode], [like.uid, like.gid, like.mode]);
	});
};

const chains = (test: ImagesTest): void => {
	test("chain › names all images, the top one first", async (t) => {
		const { base, a, b } = await aChain(t);
		const chain = await t.context.harness.images.chain(b.path, "qcow2");
		t.deepEqual(
			chain.map((image) => image.path),
			[b.path, a.path, base.path],
		);
		t.deepEqual(await t.context.harness.images.chain(base.path, "qcow2"), chain.slice(2));
	});
	test("chain › resolves a relative name against the image that has it", async (t) => {
		const { harness } = t.context;
		const { base, a } = await aChain(t);
		await harness.images.rebaseUnsafe(a.path, { path: "base.qcow2", format: "qcow2" });
		const chain = await harness.images.chain(a.path, "qcow2");
		t.is(chain[1]?.path, base.path);
		t.is(await harness.read(a, 0), 2);
	});
	for (const name of ["nbd://evil/x", 'json:{"driver":"nbd","host":"evil"}', "http://evil/x.raw"]) {
		test(`chain › refuses the backing name ${name}`, async (t) => {
			const { a } = await aChain(t);
			await t.context.harness.nameBacking(a.path, { name, format: "raw" });
			await rejectsWith(t, t.context.harness.images.chain(a.path, "qcow2"), "DISK_UNSUPPORTED");
		});
	}
	test("chain › refuses a header that does not say the format below", async (t) => {
		const { base, a } = await aChain(t);
		await t.context.harness.nameBacking(a.path, { name: base.path });
		const error = t.context.harness.images.chain(a.path, "qcow2");
		await rejectsWith(t, error, "DISK_UNSUPPORTED");
	});
	test("chain › refuses a chain that comes back to itself", async (t) => {
		const { a, b } = await aChain(t);
		await t.context.harness.nameBacking(a.path, { name: b.path, format: "qcow2" });
		await rejectsWith(t, t.context.harness.images.chain(b.path, "qcow2"), "DISK_UNSUPPORTED");
	});
	test("chain › rejects when an image is not there or of another format", async (t) => {
		const { images, directory } = t.context.harness;
		const raw = await aBase(t, "raw");
		await rejectsWith(t, images.chain(raw.path, "qcow2"), "COMMAND_FAILED");
		await rejectsWith(t, images.chain(`${directory}/none`, "qcow2"), "COMMAND_FAILED");
		await rejectsWith(t, images.chain("none.qcow2", "qcow2"), "REFUSED");
	});
	test("imagesBeside › finds who stands on what", async (t) => {
		const { base, a, b } = await aChain(t);
		await aBase(t, "raw", "beside.raw");
		const beside = await t.context.harness.images.imagesBeside(base.path);
		t.deepEqual(
			[...beside].sort((x, y) => (x.path < y.path ? -1 : 1)),
			[
				{ path: a.path, backing: base.path },
				{ path: b.path, backing: a.path },
				{ path: base.path, backing: null },
			],
		);
	});
};

const copies = (test: ImagesTest): void => {
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

const files = (test: ImagesTest): void => {
	test("facts › are the same as long as nothing happens", async (t) => {
		const { images } = t.context.harness;
		const base = await aBase(t);
		const facts = await images.facts(base.path);
		t.deepEqual(await images.facts(base.path), facts);
		t.like(facts, { path: base.path, kind: "file" });
		t.regex(facts.headerDigest, /^[0-9a-f]{64}$/);
	});
	test("facts › change with the contents, and differ between files", async (t) => {
		const { harness } = t.context;
		const base = await aBase(t);
		const before = await harness.images.facts(base.path);
		await harness.fill(base, { start: 4 * MIB, length: MIB, value: 9 });
		const after = await harness.images.facts(base.path);
		t.is(after.inode, before.inode);
		t.is(after.fileSystem, before.fileSystem);
		t.true(BigInt(after.mtime) > BigInt(before.mtime));
		t.not((await harness.images.facts((await aBase(t, "raw")).path)).inode, before.inode);
	});
	test("hash › is that of the contents", async (t) => {
		const { harness } = t.context;
		const base = await aBase(t);
		const hash = await harness.images.hash(base.path);
		t.deepEqual(await harness.images.hash(base.path), hash);
		t.is(hash.headerDigest, (await harness.images.facts(base.path)).headerDigest);
		await harness.fill(base, { ...FIRST, value: 9 });
		t.not((await harness.images.hash(base.path)).sha256, hash.sha256);
	});
	test("rebaseUnsafe › changes the name and no contents, and takes no protocol", async (t) => {
		const { images } = t.context.harness;
		const { base, b } = await aChain(t);
		await images.rebaseUnsafe(b.path, base);
		t.is(await t.context.harness.read(b, 0), 1);
		t.is(await t.context.harness.read(b, 2 * MIB), 3);
		const evil = images.rebaseUnsafe(b.path, { path: "nbd:evil", format: "raw" });
		await rejectsWith(t, evil, "REFUSED");
	});
	test("resize › grows, with zeroes, and does not shrink", async (t) => {
		const { images } = t.context.harness;
		const base = await aBase(t);
		await images.resize(base.path, "qcow2", 12 * MIB);
		t.is((await images.info(base.path, "qcow2")).virtualSize, 12 * MIB);
		t.is(await t.context.harness.read(base, 11 * MIB), 0);
		await rejectsWith(t, images.resize(base.path, "qcow2", MIB), "COMMAND_FAILED");
	});
	test("check and writable › of an image that nobody uses", async (t) => {
		const { images, directory } = t.context.harness;
		const { b } = await aChain(t);
		const before = await images.facts(b.path);
		t.true((await images.check(b.path)).ok);
		t.true(await images.writable(b.path, "qcow2"));
		t.deepEqual(await images.facts(b.path), before, "asking changes nothing");
		await rejectsWith(t, images.writable(`${directory}/none`, "qcow2"), "COMMAND_FAILED");
	});
	test("rename › moves and overwrites nothing", async (t) => {
		const { images, directory } = t.context.harness;
		const { base, b } = await aChain(t);
		await rejectsWith(t, images.rename(b.path, base.path), "EXISTS");
		await images.rename(b.path, `${directory}/c.qcow2`);
		t.false(await images.exists(b.path));
		t.true(await images.exists(`${directory}/c.qcow2`));
		await rejectsWith(t, images.rename(b.path, `${directory}/d.qcow2`), "NOT_FOUND");
	});
	test("unlink › is repeatable", async (t) => {
		const { images } = t.context.harness;
		const { b } = await aChain(t);
		await images.sync(b.path);
		await images.unlink(b.path);
		await images.unlink(b.path);
		t.false(await images.exists(b.path));
	});
	test("space › is there and writable", async (t) => {
		const { images, directory } = t.context.harness;
		const space = await images.space(directory);
		t.true(space.free > 0 && space.capacity >= space.free && space.writable);
	});
};

/** Registers the suite on an implementation; a harness is opened for each test. */
export const diskImagesContract = (open: () => Promise<ImageHarness>): ImagesTest => {
	const test = anyTest as ImagesTest;
	test.beforeEach(async (t) => {
		t.context = { harness: await open() };
	});
	test.afterEach.always(async (t) => t.context.harness?.close());
	overlays(test);
	chains(test);
	copies(test);
	files(test);
	return test;
};
