import test from "ava";
import { createBackupViews } from "../../../apps/host-daemon/src/catalog/backup-views.ts";
import type { BackupBody } from "../../../apps/host-daemon/src/catalog/bodies.ts";
import { aBackupView } from "../../tui/support/states.ts";

const MAIN = { id: "r1", name: "main", path: "/repo", default: true };

const bodyOf = (n: number, vm: string): BackupBody => ({
	...aBackupView(n, { vm: { uuid: vm, name: vm } }),
	createdAt: `2026-01-02T03:04:0${n}.000Z`,
	repositoryId: "r1",
	directory: `chain/${n}`,
});

test("backup views › are made once for the same bodies, though the list is another", (t) => {
	const views = createBackupViews();
	const bodies = [bodyOf(2, "b"), bodyOf(1, "a")];
	const first = views(bodies, [MAIN]);
	t.is(views([...bodies], [{ ...MAIN }]), first);
	t.deepEqual(
		first.all.map(({ path }) => path),
		["/repo/chain/1", "/repo/chain/2"],
	);
});

test("backup views › are those of now when one was written anew, came or went", (t) => {
	const views = createBackupViews();
	const [one, two] = [bodyOf(1, "a"), bodyOf(2, "a")];
	views([one], [MAIN]);
	t.is(views([one, two], [MAIN]).all.length, 2);
	t.is(views([two], [MAIN]).all.length, 1);
	const [changed] = views([{ ...two, pinned: true }], [MAIN]).all;
	t.true(changed?.pinned);
});

test("backup views › are those of now when a repository was renamed or moved", (t) => {
	const views = createBackupViews();
	const bodies = [bodyOf(1, "a")];
	views(bodies, [MAIN]);
	t.is(views(bodies, [{ ...MAIN, name: "other" }]).all[0]?.repository, "other");
	t.is(views(bodies, [{ ...MAIN, path: "/moved" }]).all[0]?.path, "/moved/chain/1");
	t.is(views(bodies, []).all[0]?.path, null);
});

test("backup views › give each VM its own, oldest first", (t) => {
	const { ofVm } = createBackupViews()([bodyOf(3, "a"), bodyOf(2, "b"), bodyOf(1, "a")], [MAIN]);
	t.deepEqual(
		ofVm("a").map(({ sequence }) => sequence),
		[1, 3],
	);
	t.is(ofVm("b").length, 1);
	t.deepEqual(ofVm("c"), []);
});
