// `knib restore plan` as a user runs it, against a daemon's API whose jobs do as the test says.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { JobRequest } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { apiWorld } from "../support/api-world.ts";
import { anOpenChain, VM_UUID } from "../support/builders/facts.ts";
import type { Fate } from "../support/fake-job-service.ts";
import { runCli, startCli } from "../support/run-cli.ts";

const STARTED = { startedAt: "2026-01-02T03:04:05.000Z", agentMs: 7, vm: { name: "vm" } };
const done: Fate = { kind: "succeeds", result: STARTED };
const nameOf = (request: JobRequest): string => ("name" in request ? request.name : "");

const line = z.looseObject({
	type: z.string(),
	result: z
		.looseObject({
			entries: z.array(
				z.looseObject({ name: z.string(), state: z.string(), reason: z.string().nullable() }),
			),
		})
		.optional(),
	error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
});
const lastOf = (stdout: string) => line.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
const statesOf = (stdout: string) =>
	(lastOf(stdout).result?.entries ?? []).map(({ name, state }) => `${name} ${state}`);

/** A host with backups of web01, and a file that says what to restore of them. */
const world = async (t: ExecutionContext, fates: Readonly<Record<string, Fate>> = {}) => {
	const api = await apiWorld({ fateOf: (request) => fates[nameOf(request)] ?? done });
	t.teardown(api.close);
	api.repositories.add("/repo").chains = [anOpenChain(3, {}).chain];
	await (
		await api.books.repositoryChanges.add({ name: "main", path: "/repo", default: true })
	).apply();
	const env = { KNIB_SOCKET: api.socket };
	const write = async (text: string, name = "plan.toml"): Promise<string> => {
		const file = join(api.directory, name);
		await writeFile(file, text);
		return file;
	};
	const run = async (text: string, ...flags: readonly string[]) =>
		runCli(["restore", "plan", await write(text), ...flags], env);
	return { api, env, write, run, requested: () => api.jobs.requests.map(nameOf) };
};

const entry = (as: string, rest = ""): string =>
	`[[restore]]\nmode = "new"\nvm = "web01"\nas = "${as}"\n${rest}\n`;

const THREE = [entry("app", 'after = ["db"]'), entry("db", "priority = 1"), entry("mail")].join("");

test("restore plan › restores all in order and exits 0", async (t) => {
	const { run, requested } = await world(t);
	const { code, stdout, stderr } = await run(THREE);
	t.is(code, 0, stderr);
	t.deepEqual(requested(), ["db", "app", "mail"]);
	t.regex(stdout, /^ENTRY +STATE .*\ndb +done .*\napp +done .*\nmail +done /);
	t.regex(stderr, /^db: job 000b0001\n(db: .*\n)*db: done\napp: job 000b0002\n/);
	t.false((stdout + stderr).includes("\u001b"));
});

test("restore plan › after a failure skips what depends on it, goes on with the rest, and exits 1", async (t) => {
	const { run, requested } = await world(t, {
		db: { kind: "fails", code: "VERIFY_FAILED", message: "vda differs" },
	});
	const { code, stdout } = await run(THREE, "--json");
	t.is(code, 1);
	t.deepEqual(requested(), ["db", "mail"]);
	t.deepEqual(statesOf(stdout), ["db failed", "app skipped", "mail done"]);
	t.like(lastOf(stdout), {
		type: "result",
		error: { code: "JOB_FAILED" },
		result: {
			entries: [
				{ error: { code: "VERIFY_FAILED" }, reason: "vda differs" },
				{ reason: "it comes after db, which failed", job: null },
				{ result: STARTED, backup: "0196f000-0000-7000-8000-000000000003" },
			],
		},
	});
	const entries = stdout.split("\n").filter((text) => text.includes('"entry":"app"'));
	t.is(entries.length, 1);
});

test("restore plan › refuses all of it before anything is begun when one would be refused", async (t) => {
	const { run, requested } = await world(t);
	const { code, stdout } = await run(THREE + entry("refused", "quick = true"), "--json");
	t.is(code, 6);
	t.deepEqual(requested(), []);
	t.like(lastOf(stdout).error, { code: "REFUSED" });
	t.regex(lastOf(stdout).error?.message ?? "", /1 of 4 .* refused: its offering does not allow/);
	const unknown = await run(entry("a").replace("web01", "db99"));
	t.is(unknown.code, 6);
	t.regex(unknown.stderr, /a: this host has neither a VM db99 nor a backup of one/);
	const twice = await run(entry("a") + entry("a", 'name = "b"'));
	t.is(twice.code, 6);
	t.regex(twice.stderr, /a and b both make VM a/);
});

test("restore plan › a file that is not there exits 4, one that is wrong exits 2 and says where", async (t) => {
	const { env, run, write } = await world(t);
	const missing = await runCli(["restore", "plan", "/nonexistent/plan.toml"], env);
	t.is(missing.code, 4);
	const cases: readonly (readonly [string, RegExp])[] = [
		["[[restore]\n", /is not TOML: .*1: {2}\[\[restore\]/],
		[entry("a", "prio = 1"), /restore 1: .*"prio"; accepted: name, vm, /],
		[entry("a", 'after = ["b"]') + entry("b", 'after = ["a"]'), /a after b after a/],
		[entry("a", 'after = ["c"]'), /a is after c: no entry has that name/],
		["", /restore: /],
	];
	for (const [text, words] of cases) {
		const { code, stderr } = await run(text);
		t.is(code, 2, stderr);
		t.regex(stderr, words);
		t.regex(stderr, /\n {2}next: .+\n {2}\(USAGE\)\n$/);
	}
	const json = await runCli(["restore", "plan", await write("{", "plan.json"), "--json"], env);
	t.is(json.code, 2);
	t.regex(lastOf(json.stdout).error?.message ?? "", /plan\.json is not JSON/);
});

test("restore plan › --dry-run says what would happen and how long it takes, and starts nothing", async (t) => {
	const { api, env, run, requested, write } = await world(t);
	const { code, stdout } = await run(THREE, "--dry-run");
	t.is(code, 0);
	t.regex(
		stdout,
		/^would restore 3 VMs, 1 at a time, in an unknown time\n {2}unknown: .* db, app, mail/,
	);
	t.regex(
		stdout,
		/app: as the test says\n {4}when db succeeded\n {4}takes an unknown time: 2\.9 KiB, and no rate/,
	);
	await api.books.catalog.promise(VM_UUID, { bootMs: 9000 });
	const quick = { restore: [{ mode: "new", vm: "web01", as: "a", quick: true }] };
	const json = await runCli(
		["restore", "plan", await write(JSON.stringify(quick), "p.json"), "--dry-run", "--json"],
		env,
	);
	t.like(JSON.parse(json.stdout), {
		parallel: 1,
		totalMs: 9000,
		exact: true,
		entries: [{ name: "a", startMs: 0, exact: true, estimate: { ms: 9000 } }],
	});
	t.deepEqual(requested(), []);
});

test("restore plan › --host does the work there", async (t) => {
	const { run, requested } = await world(t);
	t.is((await run(entry("a"), "--host", "here")).code, 0);
	t.deepEqual(requested(), ["a"]);
	t.is((await run(entry("b"), "--host", "elsewhere")).code, 4);
	t.is((await run(entry("b", 'host = "elsewhere"'))).code, 6);
});

/** Waits until the logs of these entries were shown: their jobs run. */
const seen = (stdout: Readable | null, entries: readonly string[]): Promise<void> =>
	new Promise((resolve) => {
		let text = "";
		stdout?.on("data", (chunk: Buffer) => {
			text += chunk.toString();
			const logs = text.split("\n").filter((one) => one.includes('"type":"log"'));
			const shown = (name: string) => logs.some((one) => one.includes(`"entry":"${name}"`));
			if (entries.every(shown)) resolve();
		});
	});

test("restore plan › an interrupt cancels all that run, begins nothing else and exits 130", async (t) => {
	const { api, env, write, requested } = await world(t, {
		db: { kind: "goes on" },
		mail: { kind: "goes on" },
	});
	const file = await write(`parallel = 2\n${THREE}`);
	const { child, result } = startCli(["restore", "plan", file, "--json"], env);
	await seen(child.stdout, ["db", "mail"]);
	child.kill("SIGINT");
	const run = await result;
	t.is(run.code, 130);
	t.deepEqual(requested().toSorted(), ["db", "mail"]);
	t.deepEqual(statesOf(run.stdout), ["db failed", "app skipped", "mail failed"]);
	const jobs = await api.jobs.service.list({});
	t.deepEqual([...new Set(jobs.map(({ state }) => state))], ["cancelled"]);
});
