import { readFile } from "node:fs/promises";
import {
	isRefusal,
	jobRequestSchema,
	orderRestores,
	readRestorePlan,
	requestOfEntry,
	whyNotAsAsked,
} from "@knib/core";
import test from "ava";
import { parse } from "smol-toml";

const ID = "0196f000-0000-7000-8000-0000deadbeef";

const read = (restore: unknown, rest: object = {}) => {
	const file = readRestorePlan({ ...rest, restore });
	if (isRefusal(file)) throw new Error(file.message);
	return file;
};

const refusalOf = (given: unknown): string => {
	const file = readRestorePlan(given);
	return isRefusal(file) ? file.message : "accepted";
};

test("restore plan file › an entry is named by itself, its new VM, its VM or its backup", (t) => {
	const { entries, parallel } = read([
		{ mode: "new", vm: "db", as: "db-dr", name: "database" },
		{ mode: "new", vm: "db", as: "db-dr" },
		{ mode: "in-place", vm: "web" },
		{ mode: "in-place", backup: "deadbeef" },
	]);
	t.is(parallel, 1);
	t.deepEqual(
		entries.map(({ name }) => name),
		["database", "db-dr", "web", "deadbeef"],
	);
});

test("restore plan file › becomes the requests that the commands make", (t) => {
	const { entries } = read([
		{
			mode: "new",
			vm: "db",
			as: "db-dr",
			storage: "/srv/dr",
			networks: { lan: "dr" },
			keepMac: true,
			quick: true,
			waitForAgent: true,
		},
		{ mode: "in-place", vm: "web", shutdown: true, start: true },
	]);
	t.deepEqual(
		entries.map((entry) => jobRequestSchema.parse(requestOfEntry(entry, ID))),
		[
			{
				type: "Restore",
				mode: "new",
				backup: ID,
				name: "db-dr",
				storage: "/srv/dr",
				networks: { lan: "dr" },
				keepMac: true,
				start: false,
				quick: true,
			},
			{ type: "Restore", mode: "in-place", backup: ID, shutdown: true, start: true, quick: false },
		],
	);
});

test("restore plan file › an unknown key is refused with those that are accepted", (t) => {
	t.is(refusalOf({ parralel: 2, restore: [] }).split("; accepted")[0]?.includes("parralel"), true);
	t.regex(
		refusalOf({ restore: [{ mode: "new", vm: "a", as: "b", shutdown: true }] }),
		/^restore 1: .*"shutdown"; accepted: name, vm, .*, as, storage, networks, keepMac$/,
	);
	t.regex(
		refusalOf({ restore: [{ mode: "in-place", vm: "a", as: "b" }] }),
		/^restore 1: .*"as"; accepted: name, .*, shutdown$/,
	);
});

test("restore plan file › says where and what is wrong", (t) => {
	t.regex(refusalOf({ restore: [{ vm: "a" }] }), /^restore 1: mode: is "new" or "in-place"$/);
	t.regex(refusalOf({ restore: [{ mode: "new", vm: "a" }] }), /^restore 1: as: /);
	t.regex(
		refusalOf({ restore: [{ mode: "new", vm: "a", as: "b", storage: "dr" }] }),
		/storage: a storage directory is an absolute path/,
	);
	t.regex(refusalOf({ restore: [{ mode: "new", as: "b" }] }), /^b: `latest` is a VM's newest/);
	t.regex(
		refusalOf({ restore: [{ mode: "new", vm: "a", as: "b", waitForAgent: true }] }),
		/^b: waitForAgent wants a VM that is started/,
	);
	t.regex(refusalOf({ parallel: 0, restore: [] }), /^parallel: .*; restore: /);
	t.not(refusalOf(null), "accepted");
	t.not(refusalOf([]), "accepted");
});

test("restore plan file › a VM that was to run and does not, or whose agent was to answer, is not as asked", (t) => {
	const asked = { start: true, quick: false, waitForAgent: false };
	const at = "2026-01-02T03:04:05.000Z";
	t.is(whyNotAsAsked(asked, { startedAt: at, agentMs: null }), null);
	t.regex(whyNotAsAsked(asked, { startedAt: null }) ?? "", /not started/);
	const waits = { ...asked, waitForAgent: true };
	t.regex(whyNotAsAsked(waits, { startedAt: at, agentMs: null }) ?? "", /did not answer/);
	t.is(whyNotAsAsked(waits, { startedAt: at, agentMs: 12 }), null);
	t.is(whyNotAsAsked({ ...asked, start: false }, { startedAt: null }), null);
});

test("restore plan file › the documented example is accepted", async (t) => {
	const text = await readFile(new URL("../../../docs/restore-plan.md", import.meta.url), "utf8");
	const [, example = ""] = /```toml\n([\s\S]*?)```/.exec(text) ?? [];
	const file = readRestorePlan(parse(example));
	if (isRefusal(file)) throw new Error(file.message);
	const ordered = orderRestores(file.entries);
	t.deepEqual(isRefusal(ordered) ? ordered : ordered.map(({ name }) => name), [
		"db01-dr",
		"shop",
		"mail",
	]);
});
