// knibd is killed with SIGKILL at every line of its journal, in both phases of a compression and in a deletion. After each: no
// mixed disks, nothing left over, and every point reads as before. ACCEPTANCE Z8, H6. The VM is off: no guest has to boot.
import { access } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import {
	keepState,
	killAtLine,
	litter,
	smallVm,
	startAndSettle,
	writeDisks,
} from "./support/crash.ts";
import type { Guest } from "./support/guest.ts";
import { type Knib, startKnib } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { imageChain } from "./support/oracle.ts";
import { assertPoint, overlays, type Point, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
let generation = 0;

const nextPoint = async (): Promise<Point> => {
	generation += 1;
	await writeDisks(guest, generation);
	return await takePoint(knib, guest);
};

const isThere = ({ backup }: Point): Promise<boolean> =>
	access(backup.path).then(
		() => true,
		() => false,
	);

const assertChecksums = (t: ExecutionContext, { backup }: Point): Promise<unknown> =>
	t.notThrowsAsync(run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], { cwd: backup.path }));

const compressionsOf = ({ backup }: Point): Promise<readonly (string | undefined)[]> =>
	Promise.all(
		["vda", "vdb"].map(async (disk) => {
			const [layer] = await imageChain(join(backup.path, `${disk}.qcow2`));
			return layer?.compression;
		}),
	);

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await smallVm(lab, "svcrash");
	await knib.ok("settings", "set", "backup.chain.size", "0");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

test.serial("crash › at every journal line of both phases of a compression", async (t) => {
	t.timeout(1_800_000);
	const [below, point, above] = [await nextPoint(), await nextPoint(), await nextPoint()];
	const compressed = await knib.cli("backup", "compress", below.backup.id);
	t.is(compressed.code, 0, compressed.stderr);
	const goBack = await keepState(knib);
	let line = 1;
	for (let killed = true; killed; line++) {
		await goBack();
		killed = await killAtLine(knib, line, "backup", "compress", point.backup.id);
		await startAndSettle(knib);
		t.deepEqual(await compressionsOf(point), ["zstd", "zstd"], `line ${line}`);
		t.deepEqual(await litter(knib, guest), [], `line ${line}`);
		for (const one of [below, point, above]) {
			await assertChecksums(t, one);
			await assertPoint(t, one);
		}
	}
	t.log(`${line - 2} lines`);
	t.true(line > 15);
});

test.serial("crash › at every journal line of a deletion that ends the chain", async (t) => {
	t.timeout(1_800_000);
	let line = 1;
	for (let killed = true; killed; line++) {
		const points = [await nextPoint(), await nextPoint()];
		const [full, newest] = points;
		if (full === undefined || newest === undefined) throw new Error("no points");
		await knib.ok("backup", "delete", full.backup.id);
		killed = await killAtLine(knib, line, "backup", "delete", newest.backup.id);
		await startAndSettle(knib);
		const left = await Promise.all(points.map(isThere));
		t.is(left[0], left[1], `line ${line}: the sweep goes as a whole or not at all`);
		t.deepEqual(await overlays(guest), left[0] ? [1, 1] : [0, 0], `line ${line}`);
		t.deepEqual(await litter(knib, guest), [], `line ${line}`);
		for (const point of left[0] ? points : []) await assertPoint(t, point);
	}
	t.log(`${line - 2} lines`);
	t.true(line > 8);
});
