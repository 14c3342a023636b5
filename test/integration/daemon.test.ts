import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { z } from "zod";
import { aPlace, startKnibd } from "../support/daemon-process.ts";
import { runCli } from "../support/run-cli.ts";

const initSchema = z.looseObject({
	made: z.array(z.string()),
	repositories: z.array(z.string()),
	host: z.looseObject({ id: z.string() }),
});
const errorSchema = z.object({
	error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).loose(),
});
const initOf = (stdout: string) => initSchema.parse(JSON.parse(stdout));
const errorOf = (stdout: string) => errorSchema.parse(JSON.parse(stdout)).error;
const modeOf = async (path: string): Promise<string> =>
	((await stat(path)).mode & 0o777).toString(8);

test("init › without a daemon makes configuration, key, repository and offering, and is repeatable", async (t) => {
	const { home, env } = await aPlace(t);
	const repository = join(home, "repository");
	const dry = await runCli(["init", "--repository", repository, "--dry-run"], env);
	t.is(dry.code, 0);
	await t.throwsAsync(stat(join(home, "state")), { code: "ENOENT" }, "a dry run makes nothing");

	const first = await runCli(["init", "--repository", repository, "--json"], env);
	t.is(first.code, 0, first.stdout);
	t.deepEqual(initOf(first.stdout).repositories, ["main"]);
	t.is(await modeOf(join(home, "state")), "700");
	t.is(await modeOf(join(home, "state", "identity.pem")), "600");
	t.regex(await readFile(env["KNIB_CONFIG"] ?? "", "utf8"), /^stateDir = /m);

	const again = await runCli(["init", "--repository", repository, "--json"], env);
	t.is(again.code, 0);
	t.deepEqual(initOf(again.stdout).made, []);
	t.is(initOf(again.stdout).host.id, initOf(first.stdout).host.id);
});

test("init › is done by the daemon while one runs", async (t) => {
	const { home, env } = await aPlace(t);
	await runCli(["init"], env);
	const daemon = startKnibd(t, env);
	await daemon.started;
	const run = await runCli(["init", "--repository", join(home, "r"), "--json"], env);
	t.is(run.code, 0, run.stdout);
	t.deepEqual(initOf(run.stdout).repositories, ["main"]);
	const list = await runCli(["repository", "list", "--json"], env);
	t.like(JSON.parse(list.stdout), [{ name: "main", state: "ready", default: true, backups: 0 }]);
});

test("init › a repository directory with other files in it is refused", async (t) => {
	const { home, env } = await aPlace(t);
	await mkdir(join(home, "r"));
	await writeFile(join(home, "r", "letter.txt"), "dear");
	const run = await runCli(["init", "--repository", join(home, "r"), "--json"], env);
	t.is(run.code, 6);
	t.is(errorOf(run.stdout).code, "REPOSITORY_INVALID");
});

test("init --listen › adds the key to a configuration that has none, and never changes one", async (t) => {
	const { env } = await aPlace(t);
	await runCli(["init"], env);
	const added = await runCli(["init", "--listen", "0.0.0.0:7700", "--json"], env);
	t.is(added.code, 0);
	t.regex(await readFile(env["KNIB_CONFIG"] ?? "", "utf8"), /^listen = "0\.0\.0\.0:7700"$/m);
	const other = await runCli(["init", "--listen", "0.0.0.0:7701", "--json"], env);
	t.is(other.code, 6);
});

test("knibd › keeps what it was told over SIGKILL, and ends with 0 on SIGTERM", async (t) => {
	const { env } = await aPlace(t);
	await runCli(["init"], env);
	const first = startKnibd(t, env);
	await first.started;
	t.is((await runCli(["offering", "create", "gold", "--chain-size", "3"], env)).code, 0);
	t.is((await runCli(["settings", "set", "backup.trash.grace", "2d"], env)).code, 0);
	first.child.kill("SIGKILL");
	await first.ended;
	t.is(
		(await runCli(["offering", "list"], env)).code,
		8,
		"the dead daemon's socket answers nobody",
	);

	const second = startKnibd(t, env);
	await second.started;
	const offering = await runCli(["offering", "show", "gold", "--json"], env);
	t.like(JSON.parse(offering.stdout), { name: "gold", backupChainSize: 3 });
	const setting = await runCli(["settings", "get", "backup.trash.grace", "--json"], env);
	t.deepEqual(JSON.parse(setting.stdout), {
		name: "backup.trash.grace",
		value: 48,
		unit: "h",
		scope: "cluster",
		source: "cluster",
	});
	second.child.kill("SIGTERM");
	t.is((await second.ended).code, 0);
	await t.throwsAsync(stat(env["KNIB_SOCKET"] ?? ""), { code: "ENOENT" });
});

test("knibd › a second one on the same state directory or socket ends with 5 and says why", async (t) => {
	const { home, env } = await aPlace(t);
	await runCli(["init"], env);
	await startKnibd(t, env).started;
	const sameState = await startKnibd(t, { ...env, KNIB_SOCKET: join(home, "other") }).ended;
	t.is(sameState.code, 5);
	t.regex(sameState.log, /STORE_LOCKED/);
	const sameSocket = await startKnibd(t, { ...env, KNIB_STATE_DIR: join(home, "other-state") })
		.ended;
	t.is(sameSocket.code, 5);
	t.regex(sameSocket.log, /another knibd answers on/);
	t.is((await runCli(["offering", "list"], env)).code, 0, "the first one is unharmed");
});

test("knibd › an unknown configuration key ends it with 2, naming the key and the known ones", async (t) => {
	const { env } = await aPlace(t);
	const file = env["KNIB_CONFIG"] ?? "";
	await mkdir(dirname(file), { recursive: true });
	await writeFile(file, 'stateDirectory = "/x"\n');
	const { code, log } = await startKnibd(t, env).ended;
	t.is(code, 2);
	t.regex(log, /unknown key stateDirectory: the keys are listen, advertise, name, stateDir/);
});

test("knibd › libvirt that does not answer is a warning for VMs, and the rest goes on", async (t) => {
	const { env } = await aPlace(t);
	await runCli(["init"], env);
	await startKnibd(t, env).started;
	const vms = await runCli(["vm", "list", "--json"], env);
	t.is(vms.code, 3, vms.stdout);
	t.is((await runCli(["status"], env)).code, 0);
	t.like(JSON.parse((await runCli(["host", "list", "--json"], env)).stdout), [
		{ state: "degraded", self: true },
	]);
});

test("doctor › works without a daemon, names what mends it, and mends what it may", async (t) => {
	const { home, env } = await aPlace(t);
	await runCli(["init"], env);
	await chmod(join(home, "state"), 0o755);
	const found = await runCli(["doctor"], { ...env, PATH: "/nonexistent" });
	t.is(found.code, 1);
	t.regex(found.stdout, /virsh is not installed\n +mend: apt-get install libvirt-clients/);
	t.regex(found.stdout, /state has mode 0755.*\n +mend: chmod 0700/);
	const shown = await runCli(["doctor", "--fix", "--dry-run"], env);
	t.regex(shown.stderr, /would run: chmod 0700/);
	t.is(await modeOf(join(home, "state")), "755");
	await runCli(["doctor", "--fix"], env);
	t.is(await modeOf(join(home, "state")), "700");
});

test("doctor › a configuration that cannot be read is a finding", async (t) => {
	const { env } = await aPlace(t);
	const file = env["KNIB_CONFIG"] ?? "";
	await mkdir(dirname(file), { recursive: true });
	await writeFile(file, "nonsense");
	const run = await runCli(["doctor", "--json"], env);
	t.is(run.code, 1);
	t.like(JSON.parse(run.stdout), [{ name: "configuration", state: "failure" }]);
});
