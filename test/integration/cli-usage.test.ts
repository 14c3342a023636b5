import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { apiWorld } from "../support/api-world.ts";
import { anOpenChain, backupId } from "../support/builders/facts.ts";
import { runCli } from "../support/run-cli.ts";

const errorSchema = z.object({
	error: z.object({
		code: z.string(),
		message: z.string(),
		hint: z.string(),
		details: z.looseObject({}),
	}),
});

type Case = readonly [args: readonly string[], code: number, error: string];
const cases: readonly Case[] = [
	[["vm", "show"], 2, "USAGE"],
	[["vm", "list", "--bogus"], 2, "USAGE"],
	[["vm", "list", "surplus"], 2, "USAGE"],
	[["backup", "create", "web01", "--disk", "../vda"], 2, "USAGE"],
	[["vm", "set", "web01", "nonsense"], 2, "USAGE"],
	[["vm", "set", "web01", "speed=3"], 2, "SETTING_UNKNOWN"],
	[["offering", "create", "gold", "--tracker", "magic"], 2, "USAGE"],
	[["offering", "create", "gold", "--chain-size", "many"], 2, "USAGE"],
	[["offering", "update", "default"], 2, "USAGE"],
	[["settings", "set", "backup.chain.size", "many"], 2, "SETTING_INVALID"],
	[["settings", "set", "backup.chain", "3"], 2, "SETTING_UNKNOWN"],
	[["settings", "get", "backup.chain.size", "--vm", "a", "--host", "b"], 2, "USAGE"],
	[["backup", "show", "latest"], 2, "USAGE"],
	[["backup", "show", "0196"], 2, "AMBIGUOUS_ID"],
	[["vm", "show", "db01"], 4, "VM_NOT_FOUND"],
	[["backup", "show", "ffff"], 4, "NOT_FOUND"],
	[["job", "show", "ffff"], 4, "NOT_FOUND"],
	[["backup", "list", "--host", "elsewhere"], 4, "NOT_FOUND"],
	[["offering", "create", "default"], 5, "EXISTS"],
	[["offering", "delete", "default"], 6, "REFUSED"],
	[["vm", "unassign", "web01"], 6, "REFUSED"],
];

const fails = test.macro(async (t: ExecutionContext, [args, code, error]: Case) => {
	const world = await apiWorld();
	t.teardown(world.close);
	world.repositories.add("/repo").chains = [anOpenChain(3, {}).chain];
	await (
		await world.books.repositoryChanges.add({ name: "main", path: "/repo", default: true })
	).apply();
	const env = { KNIB_SOCKET: world.socket };
	const json = await runCli(
		[...args, "--json", "--no-wait"].slice(0, hasWait(args) ? undefined : -1),
		env,
	);
	t.is(json.code, code, json.stdout + json.stderr);
	const printed = errorSchema.parse(JSON.parse(json.stdout));
	t.is(printed.error.code, error);
	t.is(json.stderr, "");
	const text = await runCli(args, env);
	t.is(text.code, code);
	t.is(text.stdout, "");
	t.regex(text.stderr, new RegExp(`^knib: .+\\n(  .+\\n)*  next: .+\\n  \\(${error}\\)\\n$`));
});
/** Whether the command starts a job, so that JSON would be lines. */
const hasWait = ([topic, verb]: readonly string[]): boolean =>
	(topic === "backup" && verb === "create") || verb === "unassign";
for (const one of cases) test(`exit codes › ${one[0].join(" ")} exits ${one[1]}`, fails, one);

test("exit codes › an unknown command and an unknown topic exit 2", async (t) => {
	t.is((await runCli(["vm", "lsit"])).code, 2);
	t.is((await runCli(["tui"])).code, 2);
});

test("exit codes › without a daemon every command exits 8 at once", async (t) => {
	const run = await runCli(["vm", "list", "--json"], { KNIB_SOCKET: "/nonexistent/s" });
	t.is(run.code, 8);
	t.is(errorSchema.parse(JSON.parse(run.stdout)).error.code, "DAEMON_UNREACHABLE");
});

test("knib › without arguments prints help", async (t) => {
	const run = await runCli([]);
	t.is(run.code, 0);
	t.regex(run.stdout, /TOPICS/);
});

test("ids › an ambiguous one lists the candidates", async (t) => {
	const world = await apiWorld();
	t.teardown(world.close);
	world.repositories.add("/repo").chains = [anOpenChain(2, {}).chain];
	await (
		await world.books.repositoryChanges.add({ name: "main", path: "/repo", default: true })
	).apply();
	const run = await runCli(["backup", "show", "0196f000"], { KNIB_SOCKET: world.socket });
	t.is(run.code, 2);
	t.true(run.stderr.includes(backupId(1)) && run.stderr.includes(backupId(2)));
});

test("backup show › latest with --vm is the newest one", async (t) => {
	const world = await apiWorld();
	t.teardown(world.close);
	world.repositories.add("/repo").chains = [anOpenChain(2, {}).chain];
	await (
		await world.books.repositoryChanges.add({ name: "main", path: "/repo", default: true })
	).apply();
	const run = await runCli(["backup", "show", "latest", "--vm", "web01", "--json"], {
		KNIB_SOCKET: world.socket,
	});
	t.is(run.code, 0);
	t.like(JSON.parse(run.stdout), {
		id: backupId(2),
		path: `/repo/${backupId(2)}`,
		status: "BackedUp",
	});
});

test("output › a closed pipe is no error", async (t) => {
	const world = await apiWorld();
	t.teardown(world.close);
	const { child, result } = (await import("../support/run-cli.ts")).startCli(["settings", "list"], {
		KNIB_SOCKET: world.socket,
	});
	child.stdout?.destroy();
	t.is((await result.catch(() => ({ code: 0 }))).code, 0);
});
