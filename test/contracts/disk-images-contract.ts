// The contract of DiskImages: one suite over qemu-img and over the in-memory twin. Here: overlays and chains.
import anyTest from "ava";
import { aBase, aChain, type ImagesTest, SIZE } from "./disk-images-chain.ts";
import { copyContract } from "./disk-images-copy-contract.ts";
import { fileContract } from "./disk-images-file-contract.ts";
import { type ImageHarness, MIB, overlayOn, rejectsWith } from "./image-harness.ts";

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
	test("createOverlay › has sub-clusters unless it must not", async (t) => {
		const { images, directory } = t.context.harness;
		const base = await aBase(t);
		for (const subclusters of [true, false]) {
			const path = `${directory}/o-${subclusters}.qcow2`;
			const overlay = { path, backing: base.path, backingFormat: "qcow2", size: SIZE, subclusters };
			await images.createOverlay(overlay);
			t.is((await images.info(path, "qcow2")).extendedL2, subclusters);
		}
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

/** Registers the suite on an implementation; a harness is opened for each test. */
export const diskImagesContract = (open: () => Promise<ImageHarness>): ImagesTest => {
	const test = anyTest as ImagesTest;
	test.beforeEach(async (t) => {
		t.context = { harness: await open() };
	});
	test.afterEach.always(async (t) => t.context.harness?.close());
	overlays(test);
	chains(test);
	copyContract(test);
	fileContract(test);
	return test;
};
