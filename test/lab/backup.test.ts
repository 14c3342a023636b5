// The main job on a live guest that writes all the time: chains, oracles, restore, layout. ACCEPTANCE B1 to B6, B9, B11 to B13.
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { z } from "zod";
import { defineGuest, type Guest, guestOf } from "./support/guest.ts";
import { type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { compare, imageChain } from "./support/oracle.ts";
import { assertPoint, overlays, type Point, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
const points: Point[] = [];

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "web01" });
	await guest.start();
	await knib.ok("settings", "set", "backup.chain.size", "4");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const change = (generation: number) =>
	guest.exec(
		`guestbin fill /mnt/data/big 8 ${generation}; echo gen${generation} > /mnt/data/gen; echo gen${generation} > /var/gen; sync`,
	);

test("chain › a full and three increments of a writing guest each equal their oracle", async (t) => {
	const writer = await guest.startWriter("/mnt/data/seq", "/var/seq");
	for (const generation of [1, 2, 3, 4]) {
		await change(generation);
		const point = await takePoint(knib, guest);
		points.push(point);
		t.is(point.backup.kind, generation === 1 ? "full" : "incremental");
		t.deepEqual(await overlays(guest), generation === 4 ? [0, 0] : [1, 1]);
		t.is(await guest.state(), "running");
	}
	await writer.stop();
	for (const point of points) await assertPoint(t, point);
	t.true((await guest.checkWriter("/mnt/data/seq", "/var/seq")) > 0);
});

test("chain › layers name their parent's layer by a relative path, and the disks' paths are the original ones at its end", async (t) => {
	for (const [index, point] of points.entries()) {
		for (const target of ["vda", "vdb"]) {
			const [layer] = await imageChain(join(point.backup.path, `${target}.qcow2`));
			const parent = points[index - 1];
			const expected =
				parent === undefined ? undefined : `../000${index}-${parent.backup.id}/${target}.qcow2`;
			t.is(layer?.backing, expected);
		}
		t.is(point.backup.parent, points[index - 1]?.backup.id ?? null);
		await t.notThrowsAsync(
			run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], { cwd: point.backup.path }),
		);
	}
	for (const disk of await guest.disks()) t.regex(disk.path, /(root|data)\.qcow2$/);
	const chain = z
		.looseObject({ state: z.string(), endReason: z.string() })
		.parse(await knib.ok("chain", "show", points[0]?.backup.chain ?? ""));
	t.is(chain.state, "ended");
	t.regex(chain.endReason, /4 of 4/);
});

test("restore › each point as a new VM equals its oracle, boots beside the original, and holds its files", async (t) => {
	for (const [index, point] of points.entries()) {
		const name = `restored${index}`;
		const result = z
			.looseObject({
				vm: z.looseObject({ uuid: z.string() }),
				disks: z.array(z.looseObject({ target: z.string(), path: z.string() })),
			})
			.parse(
				await knib.ok("restore", "new", point.backup.id, "--as", name, "--storage", guest.diskDir),
			);
		for (const disk of result.disks) {
			const reference = point.references.get(disk.target) ?? "";
			const { same, text } = await compare(disk.path, "qcow2", reference);
			t.true(same, text);
		}
	}
	t.is(await guest.state(), "running");
	await lab.virsh("start", "restored2");
	const restored = guestOf(lab, "restored2", guest.diskDir);
	await restored.waitReady();
	t.is((await restored.exec("cat /mnt/data/gen /var/gen")).stdout, "gen3\ngen3\n");
	t.true((await restored.checkWriter("/mnt/data/seq", "/var/seq")) > 0);
	await restored.remove();
});

test("chain › the next backup opens a new chain and says why", async (t) => {
	const next = await takeBackup(knib, "web01");
	t.is(next.kind, "full");
	t.not(next.chain, points[0]?.backup.chain);
	t.regex(next.reason, /previous chain has ended \(chain reached 4 of 4\)/);
});

test("isolated › in mid-chain stands alone, leaves the layers as they were, and the chain goes on", async (t) => {
	const before = await overlays(guest);
	await change(10);
	const alone = await takePoint(knib, guest, "--isolated");
	t.is(alone.backup.kind, "isolated");
	t.is(alone.backup.parent, null);
	t.deepEqual(await overlays(guest), before);
	await assertPoint(t, alone);
	await change(11);
	const next = await takePoint(knib, guest);
	t.is(next.backup.kind, "incremental");
	await assertPoint(t, next);
});

test("states › paused, shut off and running again go on in one chain", async (t) => {
	await lab.virsh("suspend", "web01");
	const paused = await takePoint(knib, guest);
	t.is(paused.backup.kind, "incremental");
	t.is(await guest.state(), "paused");
	await lab.virsh("resume", "web01");
	await guest.shutdown();
	const off = await takePoint(knib, guest);
	t.is(off.backup.kind, "incremental");
	t.is(await guest.state(), "shut off");
	t.deepEqual(await overlays(guest), [0, 0]);
	await guest.start();
	await change(20);
	const opened = await takePoint(knib, guest);
	t.is(opened.backup.kind, "full");
	await guest.shutdown();
	const offAgain = await takePoint(knib, guest);
	t.is(offAgain.backup.kind, "incremental");
	t.deepEqual(await overlays(guest), [1, 1]);
	await guest.start();
	await guest.kill();
	await guest.start();
	await change(21);
	const crashed = await takePoint(knib, guest);
	t.is(crashed.backup.kind, "incremental");
	for (const point of [paused, off, opened, offAgain, crashed]) await assertPoint(t, point);
});

test("chain size › 1 makes fulls without overlays, 0 never ends, a lowered size ends the next", async (t) => {
	await knib.ok("chain", "finish", "web01");
	t.deepEqual(await overlays(guest), [0, 0]);
	await knib.ok("settings", "set", "backup.chain.size", "1");
	t.is((await takeBackup(knib, "web01")).kind, "full");
	t.is((await takeBackup(knib, "web01")).kind, "full");
	t.deepEqual(await overlays(guest), [0, 0]);
	await knib.ok("settings", "set", "backup.chain.size", "0");
	const chains = new Set<string>();
	for (let count = 0; count < 5; count++) chains.add((await takeBackup(knib, "web01")).chain);
	t.is(chains.size, 1);
	await knib.ok("settings", "set", "backup.chain.size", "3");
	const last = await takePoint(knib, guest);
	t.true(chains.has(last.backup.chain));
	t.deepEqual(await overlays(guest), [0, 0]);
	await assertPoint(t, last);
	t.is((await takeBackup(knib, "web01")).kind, "full");
});

test("storage › nothing of knib's is left beside the disks but the overlays in use", async (t) => {
	await knib.ok("chain", "finish", "web01");
	const [disk] = await guest.disks();
	const names = await readdir(dirname(disk?.path ?? ""));
	t.deepEqual(
		names.filter((name) => name.includes(".knib-") && !name.endsWith(".knib-gone")),
		[],
	);
	t.deepEqual(await readdir(join(knib.repository, "incoming")), []);
});
