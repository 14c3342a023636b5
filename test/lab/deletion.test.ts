// Deletion on a live guest: soft, swept, through the trash and back, with the VM's overlays merged. ACCEPTANCE D1, D2, D3, D4, D5, D6, D7.
import { access } from "node:fs/promises";
import test from "ava";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest } from "./support/guest.ts";
import { backupSchema, type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { assertPoint, overlays, type Point, takePoint } from "./support/points.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
const points: Point[] = [];

const idOf = (index: number): string => points[index]?.backup.id ?? "";
const isThere = (index: number): Promise<boolean> =>
	access(points[index]?.backup.path ?? "").then(
		() => true,
		() => false,
	);
const viewed = async (...flags: readonly string[]) =>
	z
		.array(z.looseObject({ id: z.string(), status: z.string() }))
		.parse(await knib.ok("backup", "list", "--vm", "gone01", ...flags));
const listed = async (...flags: readonly string[]): Promise<readonly string[]> =>
	(await viewed(...flags)).map((one) => one.id);
const chainOf = async () =>
	z
		.looseObject({ state: z.string(), endReason: z.string().nullable() })
		.parse(await knib.ok("chain", "show", points[0]?.backup.chain ?? ""));

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "gone01" });
	await guest.start();
	for (const generation of [1, 2, 3, 4]) {
		await guest.exec(`guestbin fill /mnt/data/big 4 ${generation}; sync`);
		points.push(await takePoint(knib, guest));
	}
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

test.serial("deletion › hides backups that others stand on; those still restore", async (t) => {
	for (const index of [1, 2]) await knib.ok("backup", "delete", idOf(index));
	t.deepEqual(await listed(), [idOf(0), idOf(3)]);
	t.is((await listed("--all")).length, 4);
	t.true(await isThere(1));
	const last = points[3];
	if (last !== undefined) await assertPoint(t, last);
});

test.serial("deletion › takes a removed one out for real with --consolidate", async (t) => {
	await knib.ok("backup", "delete", idOf(1), "--consolidate");
	t.false(await isThere(1));
	const all = new Map((await viewed("--all")).map(({ id, status }) => [id, status]));
	t.deepEqual(
		[0, 1, 2, 3].map((index) => all.get(idOf(index))),
		["BackedUp", "Expunged", "Removed", "BackedUp"],
		"what is out of its chain lies in the trash",
	);
	for (const index of [0, 2, 3]) {
		const point = points[index];
		if (point !== undefined) await assertPoint(t, point);
	}
	t.is(await guest.state(), "running");
});

test.serial("deletion › is refused for a pinned backup, with exit code 6", async (t) => {
	await knib.ok("backup", "pin", idOf(3));
	const { code, stderr } = await knib.cli("backup", "delete", idOf(3));
	t.is(code, 6, stderr);
	t.regex(stderr, /pinned/);
	await knib.ok("backup", "unpin", idOf(3));
});

test.serial(
	"deletion › of the newest sweeps the removed ones before it, ends the chain and merges the overlays",
	async (t) => {
		t.deepEqual(await overlays(guest), [1, 1]);
		await knib.ok("backup", "delete", idOf(3));
		for (const index of [1, 2, 3]) t.false(await isThere(index));
		t.true(await isThere(0));
		t.is((await chainOf()).state, "ended");
		t.deepEqual(await overlays(guest), [0, 0]);
		t.is(await guest.state(), "running");
		t.deepEqual(await listed(), [idOf(0)]);
	},
);

test.serial("deletion › comes back from the trash with its whole sweep, bit for bit", async (t) => {
	const back = backupSchema.parse(await knib.ok("backup", "undelete", idOf(3)));
	t.is(back.status, "BackedUp");
	for (const point of points.filter((_, index) => index !== 1)) await assertPoint(t, point);
	t.deepEqual(await listed(), [idOf(0), idOf(3)]);
});

test.serial(
	"deletion › lets the next backup be a full one, and unlinks files only after the grace",
	async (t) => {
		await knib.ok("backup", "delete", idOf(3));
		const next = await takeBackup(knib, "gone01");
		t.is(next.kind, "full");
		t.regex(next.reason, /its newest backup was deleted/);
		t.false(await isThere(3));
		await knib.ok("settings", "set", "backup.trash.grace", "1s");
		await waitFor(
			async () => (await knib.cli("backup", "undelete", idOf(3), "--dry-run")).code === 4,
			{
				deadlineMs: 240_000,
				what: "the trash to be emptied",
			},
		);
		t.true(await isThere(0));
	},
);

test.serial(
	"retention › removes what the dry run said, and nothing that a kept one stands on",
	async (t) => {
		const verdictsSchema = z.array(
			z.looseObject({
				backups: z.array(z.looseObject({ id: z.string(), keep: z.boolean() })),
			}),
		);
		const full = await takePoint(knib, guest);
		await guest.exec("guestbin fill /mnt/data/big 4 9; sync");
		const increment = await takePoint(knib, guest);
		const alone = await takePoint(knib, guest, "--isolated");
		const newest = await takePoint(knib, guest, "--isolated");
		await knib.ok("offering", "update", "default", "--retention", "keepLast=1");
		const [said] = verdictsSchema.parse(await knib.ok("retention", "apply", "--dry-run"));
		const kept = (said?.backups ?? []).filter(({ keep }) => keep).map(({ id }) => id);
		t.true([full, increment, newest].every(({ backup }) => kept.includes(backup.id)));
		t.false(kept.includes(alone.backup.id));
		t.true((await listed()).includes(alone.backup.id), "a dry run removes nothing");
		await knib.ok("retention", "apply");
		t.deepEqual((await listed()).toSorted(), kept.toSorted());
		for (const point of [full, increment, newest]) await assertPoint(t, point);
		const next = await takePoint(knib, guest);
		t.is(next.backup.kind, "incremental", next.backup.reason);
	},
);
