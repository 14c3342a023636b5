import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KnibError } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { loadIdentity } from "../../apps/host-daemon/src/identity.ts";
import { prepareStateDirectory } from "../../apps/host-daemon/src/state-directory.ts";

const stateDir = async (t: ExecutionContext): Promise<string> => {
	const home = await mkdtemp(join(tmpdir(), "knib-"));
	t.teardown(() => rm(home, { recursive: true, force: true }));
	const path = join(home, "state");
	t.true(await prepareStateDirectory(path));
	t.false(await prepareStateDirectory(path));
	return path;
};

test("loadIdentity › several starts at once end with one key, closed to others", async (t) => {
	const path = await stateDir(t);
	const all = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(path)));
	t.is(new Set(all.map((identity) => identity.id)).size, 1);
	t.regex(all[0]?.id ?? "", /^[0-9a-f]{64}$/);
	t.is((await stat(join(path, "identity.pem"))).mode & 0o777, 0o600);
	t.deepEqual(await readdir(path), ["identity.pem"], "nothing else is left");
	t.false((await loadIdentity(path)).created);
});

test("loadIdentity › a key that cannot be read is never replaced by a new one", async (t) => {
	const path = await stateDir(t);
	await writeFile(join(path, "identity.pem"), "");
	const error = await t.throwsAsync(loadIdentity(path), { instanceOf: KnibError });
	t.is(error?.code, "STORE_FAILED");
	t.is((await stat(join(path, "identity.pem"))).size, 0);
});

test("prepareStateDirectory › closes one that is open to others, and refuses a file", async (t) => {
	const path = await stateDir(t);
	await writeFile(join(path, "file"), "");
	const error = await t.throwsAsync(prepareStateDirectory(join(path, "file")), {
		instanceOf: KnibError,
	});
	t.is(error?.code, "STORE_FAILED");
});
