import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PublishedBackup } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import {
	contentOf,
	imageOf,
	type ServiceWorld,
	serviceWorld,
	writeBytes,
	writeNoise,
} from "../support/service-world.ts";

const idOf = (backup: PublishedBackup | undefined): string => backup?.manifest.identity.id ?? "";
const layerPath = (backup: PublishedBackup, target: string): string =>
	join(backup.path, `${target}.qcow2`);

/** What a guest would read of every disk at every point. */
const contents = async (world: ServiceWorld): Promise<readonly string[]> => {
	const digests: string[] = [];
	for (const member of world.members) {
		for (const target of ["vda", "vdb"]) digests.push(await contentOf(layerPath(member, target)));
	}
	return digests;
};

const compressionOf = async (world: ServiceWorld, index: number): Promise<string> =>
	(await world.chain()).members[index]?.marks.compression.status ?? "";

const leftovers = async (world: ServiceWorld): Promise<readonly string[]> => {
	const names: string[] = [];
	for (const { path } of world.members) names.push(...(await readdir(path)));
	return names.filter((name) => name.includes("compressed") || name === "switch.json");
};

test("compression › makes every backup of a chain smaller, and every point reads as before", async (t) => {
	const world = await serviceWorld(t);
	const before = await contents(world);
	const daemon = await world.start();
	for (const member of world.members) {
		const job = await daemon.run({ type: "StartCompression", backup: idOf(member) });
		t.is(job.state, "succeeded", job.error?.message);
	}
	t.deepEqual(await contents(world), before);
	const { members, problems } = await world.chain();
	t.deepEqual(problems, []);
	for (const [index, member] of members.entries()) {
		t.is(member.marks.compression.status, "Compressed");
		t.is(member.manifest.generation.number, 2);
		t.is(member.manifest.identityDigest, world.members[index]?.manifest.identityDigest ?? "");
		for (const layer of member.manifest.generation.layers) {
			t.is(layer.compression, "zstd");
			t.true(layer.allocated < layer.uncompressedSize);
			t.regex(
				JSON.stringify(imageOf(layerPath(member, layer.target))),
				/"compression-type":"zstd"/,
			);
		}
		t.deepEqual(await world.repository.proveLayers(member), []);
	}
	t.deepEqual(await leftovers(world), []);
	t.is((await world.repository.trash()).filter((one) => one.kind === "layers").length, 3);
	const view = await world.books.catalog.backup(idOf(world.members[0]));
	t.is(view?.compressionStatus, "Compressed");
	await daemon.service.stop();
});

test("compression › takes zlib when it is asked for", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	await daemon.run({ type: "StartCompression", backup: idOf(world.members[0]), library: "zlib" });
	const [first] = (await world.chain()).members;
	t.is(first?.manifest.generation.layers[0]?.compression, "zlib");
	await daemon.service.stop();
});

test("compression › names the file and keeps it when a byte of the original has flipped", async (t) => {
	const world = await serviceWorld(t);
	const [first] = world.members;
	if (first === undefined) throw new Error("no backup");
	writeBytes(layerPath(first, "vdb"), 0x77, 5 << 20, 4096);
	const daemon = await world.start();
	const job = await daemon.run({ type: "StartCompression", backup: idOf(first) });
	t.is(job.state, "failed");
	t.is(job.attempts, 1, "another attempt cannot help");
	t.is(job.error?.code, "VERIFY_FAILED");
	t.true(job.error?.message.includes(layerPath(first, "vdb")));
	const [now] = (await world.repository.chains(first.manifest.identity.vm))[0]?.members ?? [];
	t.is(now?.marks.compression.status, "CompressionError");
	t.is(now?.marks.validation.status, "NotValid");
	t.is(now?.manifest.generation.number, 1);
	t.deepEqual(await leftovers(world), []);
	await daemon.service.stop();
});

test("compression › keeps the original where the result is not smaller, and calls that a success", async (t) => {
	const world = await serviceWorld(t, { content: (file) => writeNoise(file, 1 << 20) });
	const daemon = await world.start();
	const job = await daemon.run({ type: "StartCompression", backup: idOf(world.members[2]) });
	t.is(job.state, "succeeded", job.error?.message);
	const third = (await world.chain()).members[2];
	t.is(third?.marks.compression.status, "Uncompressed");
	t.regex(third?.marks.compression.message ?? "", /not make it smaller/);
	t.is(third?.manifest.generation.number, 1);
	t.deepEqual(await leftovers(world), []);
	await daemon.service.stop();
});

test("compression › fails without space, and gives up after its attempts", async (t) => {
	const world = await serviceWorld(t, { free: 1000 });
	const set = async (name: string, value: string) =>
		(await world.books.settings.set({ scope: "cluster" }, name, value)).apply();
	await set("backup.compression.minimum.free.storage", "1");
	await set("backup.compression.retry.interval", "0");
	const daemon = await world.start();
	const job = await daemon.run({ type: "StartCompression", backup: idOf(world.members[0]) });
	t.is(job.state, "failed");
	t.is(job.attempts, 2);
	t.is(job.error?.code, "REPOSITORY_NO_SPACE");
	t.is(await compressionOf(world, 0), "CompressionError");
	await daemon.service.stop();
});

test("compression › leaves phase 2 waiting while the chain is held, at the cost of no attempt", async (t) => {
	const world = await serviceWorld(t);
	const [first] = world.members;
	const { vm, chain } = first?.manifest.identity ?? { vm: "", chain: "" };
	const hold = await world.repository.hold(vm, chain, { host: "b", job: "j", why: "restore" });
	const daemon = await world.start();
	await daemon.service.start({ type: "StartCompression", backup: idOf(first) }, "test");
	const finalize = async () =>
		(await daemon.jobs()).find((job) => job.type === "FinalizeCompression");
	await daemon.settle(async () => (await finalize())?.scheduledAt != null);
	const waiting = await finalize();
	t.is(waiting?.state, "waiting");
	t.is(waiting?.attempts, 0);
	t.regex(waiting?.reason ?? "", /its chain is held: restore/);
	t.is(await compressionOf(world, 0), "Compressing");
	await hold.release();
	await daemon.run({ type: "StartCompression", backup: idOf(world.members[1]) });
	await daemon.idle();
	t.is(await compressionOf(world, 0), "Compressed");
	await daemon.service.stop();
});

test("compression › deletes the compressed files of a backup that was removed between the phases", async (t) => {
	const world = await serviceWorld(t);
	const [first] = world.members;
	const { vm, chain } = first?.manifest.identity ?? { vm: "", chain: "" };
	const hold = await world.repository.hold(vm, chain, { host: "b", job: "j", why: "restore" });
	const daemon = await world.start();
	await daemon.service.start({ type: "StartCompression", backup: idOf(first) }, "test");
	await daemon.settle(async () =>
		(await daemon.jobs()).some(
			(job) => job.type === "FinalizeCompression" && job.scheduledAt !== null,
		),
	);
	t.is((await leftovers(world)).length, 2);
	await hold.release();
	const removed = await daemon.service.start(
		{ type: "DeleteBackup", backup: idOf(first), consolidate: false },
		"test",
	);
	await daemon.settle(async () => {
		const job = (await daemon.jobs()).find((one) => one.id === removed.id);
		return job?.state === "succeeded";
	});
	await daemon.idle();
	t.deepEqual(await leftovers(world), []);
	t.is((await world.chain()).members[0]?.marks.removed === null, false);
	await daemon.service.stop();
});

test("compression › that no job carries on any more is ended at the next start", async (t) => {
	const world = await serviceWorld(t, { host: "a.example" });
	const [first] = world.members;
	if (first === undefined) throw new Error("no backup");
	await world.repository.writeMarks(first, {
		compression: { status: "Compressing", message: null },
	});
	await world.record();
	const daemon = await world.start();
	await daemon.service.recovered;
	await daemon.idle();
	t.is(await compressionOf(world, 0), "Uncompressed");
	await daemon.service.stop();
});

/** Lets a daemon die after the given line of its journals, and another one go on. False when there was no such line. */
const surviveLine = async (
	t: ExecutionContext,
	template: string,
	line: number,
): Promise<boolean> => {
	const world = await serviceWorld(t, { template });
	const [, second, third] = world.members;
	if (second === undefined || third === undefined) throw new Error("no backups");
	const read = () => contentOf(layerPath(third, "vdb"));
	const before = await read();
	const dying = await world.start(line);
	await dying.service.start({ type: "StartCompression", backup: idOf(second) }, "test");
	const idle = dying.idle().then(() => false);
	const died = await Promise.race([dying.death.then(() => true), idle]);
	if (!died) {
		await dying.service.stop();
		return false;
	}
	const again = await world.start();
	await again.service.recovered;
	await again.idle();
	const { members, problems } = await world.chain();
	t.deepEqual(problems, [], `after line ${line}`);
	t.is(members[1]?.marks.compression.status, "Compressed", `after line ${line}`);
	t.deepEqual(await leftovers(world), [], `after line ${line}`);
	t.is(await read(), before, `after line ${line}`);
	await again.service.stop();
	return true;
};

test("compression › converges when the daemon dies after any line of its journals", async (t) => {
	t.timeout(300_000);
	const { path: template } = await serviceWorld(t);
	let line = 1;
	while (await surviveLine(t, template, line)) {
		t.log(`survived line ${line}`);
		line += 1;
	}
	t.true(line > 14, "both phases write as many lines");
});
