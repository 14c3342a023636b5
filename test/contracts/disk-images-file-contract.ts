// The part of the contract of DiskImages that is about files: their identity, digest, name and lock.
import { aBase, aChain, FIRST, type ImagesTest } from "./disk-images-chain.ts";
import { MIB, rejectsWith } from "./image-harness.ts";

/** Registers the tests. */
export const fileContract = (test: ImagesTest): void => {
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
