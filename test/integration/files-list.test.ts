// Listing files of a real backup: permission, hold, sharing of the appliance, and what a crash leaves. The appliance is played.
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { filesListInputSchema, filesLogInputSchema, KnibError } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { createBackupFiles } from "../../apps/host-daemon/src/files/backup-files.ts";
import { createStartAppliance } from "../../apps/host-daemon/src/files/launch.ts";
import { testIds } from "../contracts/repository-harness.ts";
import { DIRECTORY, type FakeGuestTree, fakeGuestfish } from "../support/fake-guestfish.ts";
import { serviceWorld } from "../support/service-world.ts";

const TREE: FakeGuestTree = {
	"/etc": DIRECTORY,
	"/etc/hosts": { content: "127.0.0.1 localhost\n" },
	"/etc/\x1b]0;owned\x07": { content: "" },
};

const filesWorld = async (
	t: ExecutionContext,
	allowExtractFile = true,
	tree: Parameters<typeof fakeGuestfish>[0] = TREE,
) => {
	const world = await serviceWorld(t, { offering: { allowExtractFile } });
	await world.record();
	const asked: string[] = [];
	const problems: unknown[] = [];
	const host = { id: "host-a", name: "here" };
	const { catalog } = world.books;
	const scratch = world.directory;
	const deps = { catalog, ids: testIds, host, scratch };
	const startAppliance = createStartAppliance(fakeGuestfish(tree, asked));
	const files = createBackupFiles({ ...deps, startAppliance }, (one) => problems.push(one));
	t.teardown(() => files.close());
	const newest = world.members.at(-1);
	if (newest === undefined) throw new Error("no backup");
	const view = await catalog.findBackup(newest.manifest.identity.id);
	const list = (path?: string) =>
		files.list(
			view,
			filesListInputSchema.parse({
				backup: view.id,
				disk: "vda",
				...(path === undefined ? {} : { path }),
			}),
		);
	const holds = () => world.repository.holds(view.vm.uuid, view.chain ?? "");
	const leftovers = async () =>
		(await readdir(scratch)).filter((name) => name.startsWith("knib-files-"));
	return { ...world, asked, problems, files, view, list, holds, leftovers, scratch };
};

test("files list › reads the newest layer under a hold and starts one appliance for many questions", async (t) => {
	const { list, asked, holds, files, leftovers, view } = await filesWorld(t);
	const root = await list();
	t.deepEqual(
		root.files.map((one) => one.path),
		["/etc"],
	);
	const etc = await list("/etc");
	t.deepEqual(
		etc.files.map((one) => one.name),
		["\\x1b]0;owned\\x07", "hosts"],
	);
	const drives = asked.filter((line) => line.startsWith("add-drive"));
	t.deepEqual(drives, [`add-drive "${view.path ?? ""}/vda.qcow2" readonly:true format:qcow2`]);
	t.regex((await holds()).join(), /files of backup/);
	await files.close();
	t.deepEqual(await holds(), []);
	t.deepEqual(await leftovers(), []);
	t.is(asked.at(-1), "exit");
});

test("files list › gives its hold back when the backup's chain is to be changed", async (t) => {
	const { list, holds, files, view } = await filesWorld(t);
	await list();
	t.is((await holds()).length, 1);
	await files.release(view.chain ?? "");
	t.deepEqual(await holds(), []);
});

test("files list › is refused by the offering that the backup was taken under, with nothing started", async (t) => {
	const { list, asked, holds, leftovers } = await filesWorld(t, false);
	const error = await t.throwsAsync(list(), { instanceOf: KnibError });
	t.is(error?.code, "REFUSED");
	t.regex(error?.message ?? "", /offering standard/);
	t.deepEqual(asked, []);
	t.deepEqual([await holds(), await leftovers()], [[], []]);
});

test("files list › leaves nothing when it finds no such file", async (t) => {
	const { list, files, holds } = await filesWorld(t);
	const error = await t.throwsAsync(list("/etc/none"), { instanceOf: KnibError });
	t.is(error?.code, "NOT_FOUND");
	await files.close();
	t.deepEqual(await holds(), []);
});

test("files › what an earlier life of the daemon held is given back at the next start", async (t) => {
	const { files, holds, view, repository, scratch, leftovers, problems } = await filesWorld(t);
	const id = testIds.uuid();
	const directory = join(scratch, `knib-files-${id}`);
	await mkdir(directory);
	const held = { repository: repository.id, vm: view.vm.uuid, chain: view.chain };
	await writeFile(join(directory, "held.json"), JSON.stringify(held));
	const why = "files are being read";
	await repository.hold(view.vm.uuid, view.chain ?? "", { host: "host-a", job: id, why });
	await mkdir(join(scratch, "knib-files-not-ours"));
	await files.sweep();
	t.deepEqual(await holds(), []);
	t.deepEqual(await leftovers(), ["knib-files-not-ours"]);
	t.deepEqual(problems, []);
});

test("files log › says in which backups a file differs, and where it was not there", async (t) => {
	const treeOf = (layer: string): FakeGuestTree => {
		if (layer.includes("/0001-")) return { "/gone": { content: "x" } };
		const content = layer.includes("/0002-") ? "old" : "new";
		return { "/hosts": { content }, "/same": { content: "same" }, "/gone": {} };
	};
	const { files, view, books, members } = await filesWorld(t, true, treeOf);
	const ids = members.map(({ manifest }) => manifest.identity.id);
	const views = await Promise.all(ids.map((id) => books.catalog.findBackup(id)));
	const log = async (path: string) => {
		const input = filesLogInputSchema.parse({ vm: "a", path });
		const { backups, disk, partition } = await files.log(view.vm, views, input);
		t.deepEqual([disk, partition], ["vda", "whole"]);
		t.deepEqual(
			backups.map((one) => one.backup),
			ids,
		);
		return backups.map((one) => one.change);
	};
	t.deepEqual(await log("/hosts"), ["absent", "appeared", "changed"]);
	t.deepEqual(await log("/same"), ["absent", "appeared", "same"]);
	t.deepEqual(await log("/gone"), ["first", "changed", "same"]);
	const error = await t.throwsAsync(log("/never"), { instanceOf: KnibError });
	t.is(error?.code, "NOT_FOUND");
	await files.close();
});
