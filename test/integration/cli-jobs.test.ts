import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { apiWorld } from "../support/api-world.ts";
import type { Fate } from "../support/fake-job-service.ts";
import { runCli, startCli } from "../support/run-cli.ts";

const BACKUP = {
	id: "0196f000-0000-7000-8000-0000deadbeef",
	vm: { name: "web01" },
	kind: "full",
	reason: "full: no open chain",
	size: 5,
};

const linesOf = (stdout: string): Record<string, unknown>[] =>
	stdout
		.trim()
		.split("\n")
		.map((line) => z.looseObject({}).parse(JSON.parse(line)));

const cases: readonly { title: string; fate: Fate; code: number; last: string }[] = [
	{
		title: "a job that succeeds exits 0",
		fate: { kind: "succeeds", result: BACKUP },
		code: 0,
		last: "result",
	},
	{
		title: "a job with warnings exits 3",
		fate: { kind: "succeeds", result: BACKUP, warnings: ["thawed early"] },
		code: 3,
		last: "result",
	},
	{
		title: "a job that skipped disks exits 3",
		fate: {
			kind: "succeeds",
			result: { ...BACKUP, skipped: [{ target: "vdb", reason: "shareable" }] },
		},
		code: 3,
		last: "result",
	},
	{
		title: "a job that failed exits with its error's code",
		fate: { kind: "fails", code: "VERIFY_FAILED", message: "vda differs" },
		code: 7,
		last: "error",
	},
];

const waits = test.macro(
	async (t: ExecutionContext, { fate, code, last }: (typeof cases)[number]) => {
		const world = await apiWorld({ fateOf: () => fate });
		t.teardown(world.close);
		const run = await runCli(["backup", "create", "web01", "--json"], {
			KNIB_SOCKET: world.socket,
		});
		const lines = linesOf(run.stdout);
		t.is(run.code, code);
		t.deepEqual(
			lines.map((line) => line["type"]),
			["progress", "progress", "log", "result"],
		);
		t.true(Object.hasOwn(lines.at(-1) ?? {}, last));
		t.false(run.stdout.includes("\u001b"));
	},
);
for (const one of cases) test(`backup create › ${one.title}`, waits, one);

test("backup create › prints the new backup on stdout and remarks on stderr, without control characters", async (t) => {
	const world = await apiWorld({ fateOf: () => ({ kind: "succeeds", result: BACKUP }) });
	t.teardown(world.close);
	const run = await runCli(["backup", "create", "web01"], { KNIB_SOCKET: world.socket });
	t.is(run.stdout, "backup deadbeef of web01: 5 B, full: no open chain\n");
	t.is(run.stderr, "warn: a \\x1b[31mremark\n");
});

test("backup create › --no-wait prints the job's id", async (t) => {
	const world = await apiWorld({ fateOf: () => ({ kind: "goes on" }) });
	t.teardown(world.close);
	const run = await runCli(["backup", "create", "web01", "--no-wait"], {
		KNIB_SOCKET: world.socket,
	});
	t.is(run.code, 0);
	t.is(run.stdout, "0196f000-0000-7000-8000-0000000b0001\n");
});

test("backup create › a refusal before anything is touched exits 6 as one JSON line", async (t) => {
	const world = await apiWorld();
	t.teardown(world.close);
	const run = await runCli(["backup", "create", "refused", "--json"], {
		KNIB_SOCKET: world.socket,
	});
	t.is(run.code, 6);
	t.like(linesOf(run.stdout), [{ type: "result", error: { code: "AGENT_SILENT" } }]);
});

test("backup create › --dry-run says what would happen and starts nothing", async (t) => {
	const world = await apiWorld();
	t.teardown(world.close);
	const run = await runCli(["backup", "create", "web01", "--dry-run"], {
		KNIB_SOCKET: world.socket,
	});
	t.is(run.code, 0);
	t.regex(
		run.stdout,
		/^would Backup: as the test says\n {2}one reason\n {2}1\. looks at the VM\n$/,
	);
	t.deepEqual(world.jobs.requests, []);
});

test("backup create › passes its flags on", async (t) => {
	const world = await apiWorld();
	t.teardown(world.close);
	const flags = [
		"--isolated",
		"--quiesce",
		"--disk",
		"vda,vdb",
		"--exclude-disk",
		"vdc",
		"--label",
		"a",
	];
	await runCli(["backup", "create", ...flags, "web01"], { KNIB_SOCKET: world.socket });
	t.deepEqual(world.jobs.requests, [
		{
			type: "Backup",
			vm: "web01",
			isolated: true,
			quiesce: true,
			disks: ["vda", "vdb"],
			excludeDisks: ["vdc"],
			labels: ["a"],
		},
	]);
});

test("backup compress › waits for the job that puts the layers in place too, and prints its result", async (t) => {
	const backup = BACKUP.id;
	const world = await apiWorld({
		fateOf: ({ type }) =>
			type === "StartCompression"
				? {
						kind: "succeeds",
						result: { ...BACKUP, compressionStatus: "Compressing" },
						next: { type: "FinalizeCompression", backup },
					}
				: { kind: "succeeds", result: { ...BACKUP, compressionStatus: "Compressed" } },
	});
	t.teardown(world.close);
	const run = await runCli(["backup", "compress", backup, "--json"], {
		KNIB_SOCKET: world.socket,
	});
	t.is(run.code, 0);
	const lines = linesOf(run.stdout);
	t.deepEqual(
		lines.map((line) => line["type"]),
		["progress", "progress", "log", "progress", "progress", "log", "result"],
	);
	t.like(lines.at(-1), {
		job: { type: "FinalizeCompression" },
		result: { compressionStatus: "Compressed" },
	});
});

test("backup create › an interrupt cancels the job, waits for its end and exits 130", async (t) => {
	const world = await apiWorld({ fateOf: () => ({ kind: "goes on" }) });
	t.teardown(world.close);
	const { child, result } = startCli(["backup", "create", "web01"], { KNIB_SOCKET: world.socket });
	const { stderr } = child;
	if (stderr !== null) await once(stderr, "data");
	child.kill("SIGINT");
	const run = await result;
	t.is(run.code, 130);
	t.like(await world.jobs.service.list({}), [{ state: "cancelled" }]);
});

test("backup create › a daemon that goes away while waiting is exit 8", async (t) => {
	const world = await apiWorld({ fateOf: () => ({ kind: "goes on" }) });
	const { child, result } = startCli(["backup", "create", "web01"], { KNIB_SOCKET: world.socket });
	const { stderr } = child;
	if (stderr !== null) await once(stderr, "data");
	await world.close();
	const run = await result;
	t.is(run.code, 8);
	t.regex(run.stderr, /connection to knibd .* was lost/);
});

test("job retry › --dry-run says whether there would be another attempt, and makes none", async (t) => {
	const world = await apiWorld({
		fateOf: () => ({ kind: "fails", code: "NO_SPACE", message: "full" }),
	});
	t.teardown(world.close);
	const env = { KNIB_SOCKET: world.socket };
	t.not((await runCli(["backup", "create", "web01"], env)).code, 0);
	const [job] = await world.jobs.service.list({});
	const run = await runCli(["job", "retry", job?.id ?? "", "--dry-run"], env);
	t.is(run.code, 0, run.stderr);
	t.regex(run.stdout, /is failed: its request would be made again/);
	t.is(world.jobs.requests.length, 1);
});
