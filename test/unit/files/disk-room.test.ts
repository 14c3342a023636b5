import { type BackupView, KnibError } from "@knib/core";
import test from "ava";
import { createDiskRoom } from "../../../apps/host-daemon/src/files/disk-room.ts";
import type { OpenDisk } from "../../../apps/host-daemon/src/files/open-disk.ts";

const view = (id: string, chain = "chain"): BackupView =>
	({ id, chain, vm: { uuid: "u", name: "v" } }) as unknown as BackupView;

/** A room whose disks are counted. */
const room = (failing: ReadonlySet<string> = new Set()) => {
	const opened: string[] = [];
	const closed: string[] = [];
	const open = async (backup: BackupView, disk: string): Promise<OpenDisk> => {
		const key = `${backup.id}/${disk}`;
		opened.push(key);
		if (failing.has(key)) throw new KnibError("REFUSED", "not allowed");
		const close = async () => void closed.push(key);
		return { disk: {} as never, pointInTime: "", close };
	};
	return { ...createDiskRoom(open, () => undefined), opened, closed };
};

const nothing = async () => undefined;

test("disk room › opens a disk once for many questions and asks them one at a time", async (t) => {
	const { use, opened, close, closed } = room();
	let inside = 0;
	let most = 0;
	const ask = () =>
		use(view("a"), "vda", async () => {
			inside += 1;
			most = Math.max(most, inside);
			await new Promise((resolve) => setImmediate(resolve));
			inside -= 1;
		});
	await Promise.all([ask(), ask(), ask()]);
	t.is(most, 1);
	t.deepEqual(opened, ["a/vda"]);
	await close();
	t.deepEqual(closed, ["a/vda"]);
});

test("disk room › closes the idle disks of a chain that is to be changed, and no others", async (t) => {
	const { use, release, closed, close } = room();
	await use(view("a", "one"), "vda", nothing);
	await use(view("b", "two"), "vda", nothing);
	await use(view("a", "one"), "vdb", async () => {
		await release("one");
		t.deepEqual(closed, ["a/vda"]);
	});
	await close();
	t.deepEqual([...closed].sort(), ["a/vda", "a/vdb", "b/vda"]);
});

test("disk room › makes room by closing an idle disk, and refuses when all are in use", async (t) => {
	const { use, closed, close } = room();
	for (const id of ["a", "b", "c"]) await use(view(id), "vda", nothing);
	await use(view("d"), "vda", nothing);
	t.is(closed.length, 1);
	let free: () => void = () => undefined;
	const busy = new Promise<void>((resolve) => {
		free = resolve;
	});
	const held = ["d", "e", "f"].map((id) => use(view(id), "vda", () => busy));
	await new Promise((resolve) => setImmediate(resolve));
	const error = await t.throwsAsync(use(view("g"), "vda", nothing), { instanceOf: KnibError });
	t.is(error?.code, "BACKUP_BUSY");
	free();
	await Promise.all(held);
	await close();
});

test("disk room › tries a disk afresh that could not be opened, and one whose appliance has failed", async (t) => {
	const { use, opened, closed, close } = room(new Set(["a/vda"]));
	for (const _ of [1, 2]) await t.throwsAsync(use(view("a"), "vda", nothing));
	t.deepEqual(opened, ["a/vda", "a/vda"]);
	const fail = (code: "NOT_FOUND" | "DEADLINE") =>
		t.throwsAsync(
			use(view("b"), "vda", async () => {
				throw new KnibError(code, "no");
			}),
		);
	await fail("NOT_FOUND");
	t.deepEqual(closed, []);
	await fail("DEADLINE");
	t.deepEqual(closed, ["b/vda"]);
	await close();
});
