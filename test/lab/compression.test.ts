// Compression on a live guest: the status path, sizes, increments on compressed parents, restores meanwhile. ACCEPTANCE Z1, Z3, Z5, Z9.
import { open } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest } from "./support/guest.ts";
import { backupSchema, type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { imageChain } from "./support/oracle.ts";
import { assertPoint, type Point, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
const points: Point[] = [];

const shownSchema = backupSchema.extend({
	compressionStatus: z.string(),
	validationStatus: z.string(),
	size: z.number(),
	uncompressedSize: z.number(),
	blocked: z.array(z.looseObject({ action: z.string(), reason: z.string() })),
});
const show = async (id: string) => shownSchema.parse(await knib.ok("backup", "show", id));

const reaches = (id: string, status: string): Promise<unknown> =>
	waitFor(async () => (await show(id)).compressionStatus === status, {
		deadlineMs: 120_000,
		what: `backup ${id} to be ${status}`,
	});

const change = (generation: number) =>
	guest.exec(`guestbin fill /mnt/data/big 8 ${generation}; echo gen${generation} > /var/gen; sync`);

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "zip01" });
	await guest.start();
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

test.serial(
	"compression › follows a backup under an offering that asks for it, and the chain goes on as increments",
	async (t) => {
		await knib.ok("offering", "create", "small", "--compress");
		await knib.ok("vm", "assign", "zip01", "small");
		for (const generation of [1, 2, 3]) {
			await change(generation);
			const point = await takePoint(knib, guest);
			points.push(point);
			t.is(point.backup.kind, generation === 1 ? "full" : "incremental", point.backup.reason);
			await knib.settled();
		}
		const full = await show(points[0]?.backup.id ?? "");
		t.is(full.compressionStatus, "Compressed");
		t.true(full.uncompressedSize > 0);
		for (const disk of ["vda", "vdb"]) {
			const [layer] = await imageChain(join(full.path, `${disk}.qcow2`));
			t.truthy(layer);
		}
		for (const point of points) await assertPoint(t, point);
	},
);

test.serial(
	"compression › leaves digests that sha256sum agrees with, and layers on their parents",
	async (t) => {
		for (const [index, point] of points.entries()) {
			await t.notThrowsAsync(
				run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], { cwd: point.backup.path }),
			);
			const [layer] = await imageChain(join(point.backup.path, "vda.qcow2"));
			const parent = points[index - 1];
			t.is(
				layer?.backing,
				parent === undefined ? undefined : `../000${index}-${parent.backup.id}/vda.qcow2`,
			);
		}
	},
);

test.serial(
	"compression › lets a point of a compressed chain be restored as a new VM",
	async (t) => {
		const last = points.at(-1);
		if (last === undefined) throw new Error("no point");
		const { code, stderr } = await knib.cli(
			...["restore", "new", last.backup.id, "--as", "unzipped", "--storage", guest.diskDir],
		);
		t.true(code === 0 || code === 3, stderr);
	},
);

test.serial("compression › is refused once it is done, and says so beforehand", async (t) => {
	const id = points[0]?.backup.id ?? "";
	const { blocked } = await show(id);
	t.true(blocked.some((one) => one.action === "compress" && /already/.test(one.reason)));
	t.is((await knib.cli("backup", "compress", id)).code, 6);
});

test.serial(
	"compression › names the file and keeps it when a byte of the original has flipped",
	async (t) => {
		await knib.ok("vm", "unassign", "zip01");
		const backup = await takeBackup(knib, "zip01", "--isolated");
		const path = join(backup.path, "vdb.qcow2");
		const file = await open(path, "r+");
		const { size } = await file.stat();
		const at = Math.floor(size / 2);
		const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
		await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, at);
		await file.close();
		const { code, stderr } = await knib.cli("backup", "compress", backup.id);
		t.is(code, 7, stderr);
		t.true(stderr.includes(path));
		await reaches(backup.id, "CompressionError");
		t.is((await show(backup.id)).validationStatus, "NotValid");
		const verified = await knib.cli("chain", "verify", backup.chain);
		t.is(verified.code, 7, verified.stderr);
		t.true(verified.stderr.includes(path));
		const other = await knib.cli("chain", "verify", points[0]?.backup.chain ?? "");
		t.is(other.code, 0, other.stderr);
	},
);
