import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Generation, PublishedBackup, Repository } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { openRepository } from "../../../apps/host-daemon/src/repository/open-repository.ts";
import { aLayer, aManifest, digestOf, qcow2Bytes } from "../../support/builders/manifest.ts";
import { aRepository, openOptions, placeFiles, within } from "./support/directory-harness.ts";

const AT = "2026-01-02T03:04:05.000Z";
const TARGETS = ["vda", "vdb"];

const newBytes = (target: string): Buffer => {
	const bytes = qcow2Bytes({ length: 66_000 });
	bytes.write(`new ${target}`, 2048);
	return bytes;
};

/** A published backup of two disks with compressed files beside its layers, and the generation that they would make. */
const ready = async (
	t: ExecutionContext,
): Promise<{ repository: Repository; backup: PublishedBackup; next: Generation }> => {
	const repository = await aRepository(t);
	const disks = TARGETS.map((target) => ({ target, virtualSize: 1 << 20 }));
	const manifest = within(repository, aManifest({ identity: { disks } }));
	await placeFiles(repository, manifest);
	const backup = await repository.publish(manifest);
	const layers = TARGETS.map((target) => {
		const bytes = newBytes(target);
		return aLayer({
			target,
			size: bytes.length,
			sha256: digestOf(bytes),
			headerDigest: digestOf(bytes.subarray(0, 65_536)),
			compression: "zstd",
		});
	});
	for (const target of TARGETS) {
		await writeFile(repository.compressedPath(backup, target), newBytes(target));
	}
	return { repository, backup, next: { number: 2, publishedAt: AT, layers } };
};

const current = async (
	repository: Repository,
	backup: PublishedBackup,
): Promise<PublishedBackup> => {
	const [chain] = await repository.chains(backup.manifest.identity.vm);
	const [member] = chain?.members ?? [];
	if (member === undefined) throw new Error(`the backup is gone: ${chain?.problems.join("; ")}`);
	return member;
};

test("switchLayers › publishes the next generation, keeps the identity, and the old layers in the trash", async (t) => {
	const { repository, backup, next } = await ready(t);
	const read = await repository.switchLayers(backup, next, { host: "host-a", at: AT });
	t.is(read.manifest.generation.number, 2);
	t.is(read.manifest.identityDigest, backup.manifest.identityDigest);
	t.deepEqual(await repository.proveLayers(read), []);
	t.deepEqual(
		(await readdir(backup.path)).filter((name) => name.startsWith(".knib")),
		[],
	);
	const [entry] = await repository.trash();
	t.is(entry?.kind, "layers");
	const old = join(repository.path, "trash", entry?.name ?? "", "vda.qcow2");
	const digest = backup.manifest.generation.layers[0]?.sha256 ?? "";
	t.is(digestOf(await readFile(old)), digest);
});

test("switchLayers › refuses a file that is not the one that was proven, and changes nothing", async (t) => {
	const { repository, backup, next } = await ready(t);
	await writeFile(repository.compressedPath(backup, "vdb"), "something else");
	await t.throwsAsync(repository.switchLayers(backup, next, { host: "host-a", at: AT }), {
		message: /is not the file that was proven/,
	});
	t.false(await repository.switching(backup));
	t.is((await current(repository, backup)).manifest.generation.number, 1);
});

/** Lets a host die at its n-th change of the file system. True when there was such a one. */
const dieAt = async (
	repository: Repository,
	backup: PublishedBackup,
	next: Generation,
	limit: number,
): Promise<boolean> => {
	let count = 0;
	const hook = (): void => {
		count += 1;
		if (count >= limit) throw new Error("the host died");
	};
	const dying = await openRepository({ ...openOptions(repository.path), hook });
	try {
		await dying.switchLayers(backup, next, { host: "host-a", at: AT });
		return false;
	} catch {
		return true;
	}
};

test("switchLayers › can be ended by any host, whatever change of the file system was the last", async (t) => {
	let limit = 1;
	for (; ; limit += 1) {
		const { repository, backup, next } = await ready(t);
		if (!(await dieAt(repository, backup, next, limit))) break;
		const between = await current(repository, backup);
		t.deepEqual(await repository.proveLayers(between), [], `readable after change ${limit}`);
		const began = await repository.switching(backup);
		const other = await openRepository({ ...openOptions(repository.path), hostId: "host-b" });
		const outcome = await other.settleSwitch(backup);
		t.is(outcome, began ? "finished" : "none", `after change ${limit}`);
		const after = await current(repository, backup);
		const made = after.manifest.generation.number;
		t.true(made === 2 || !began, `after change ${limit}`);
		t.deepEqual(await repository.proveLayers(after), [], `after change ${limit}`);
		t.is(await repository.settleSwitch(backup), "none");
		t.deepEqual(
			after.manifest.generation.layers.map((layer) => layer.compression),
			made === 2 ? ["zstd", "zstd"] : [null, null],
		);
	}
	t.true(limit > 10);
});

test("settleSwitch › goes back to the old layers when a new one is lost", async (t) => {
	for (const limit of [6, 9, 12, 15]) {
		const { repository, backup, next } = await ready(t);
		t.true(await dieAt(repository, backup, next, limit));
		if (!(await repository.switching(backup))) continue;
		await rm(repository.compressedPath(backup, "vdb"), { force: true });
		const outcome = await repository.settleSwitch(backup);
		const after = await current(repository, backup);
		t.deepEqual(await repository.proveLayers(after), [], `after change ${limit}: ${outcome}`);
		t.is(after.manifest.generation.number, outcome === "finished" ? 2 : 1);
		t.false(await repository.switching(backup));
	}
});

test("trash › lists what was deleted with its sweep, brings it back, and ends it for good", async (t) => {
	const { repository, backup } = await ready(t);
	const { id } = backup.manifest.identity;
	await repository.recordSweep(backup, { sweep: [id], by: "here", at: AT });
	await repository.moveToTrash(backup);
	const [entry] = await repository.trash();
	t.like(entry, { kind: "backup", backup: id, sweep: [id] });
	if (entry === undefined) return;
	const back = await repository.undelete(entry);
	t.is(back.path, backup.path);
	t.deepEqual(await repository.trash(), []);
	const path = await repository.moveToTrash(back);
	await repository.purge(path.split("/").at(-1) ?? "");
	t.deepEqual(await readdir(join(repository.path, "trash")), []);
	await t.throwsAsync(repository.purge("../vms"), { message: /no name of the trash/ });
});
