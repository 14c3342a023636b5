import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KnibError, keyNumber, MOST_KEYS } from "@knib/core";
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

const AT = "2026-01-02T03:04:05.000Z";

test("rotate › keeps the id, is there after a restart, and lasts for as many keys as a host may have", async (t) => {
	const path = await stateDir(t);
	const first = await loadIdentity(path);
	t.is(first.keySince(), null);
	const before = await readFile(join(path, "identity.pem"), "utf8");
	for (let number = 2; number <= MOST_KEYS; number += 1) {
		const identity = await loadIdentity(path);
		const { succession } = identity.key();
		await identity.rotate(AT);
		t.true(identity.key().succession.startsWith(`${succession}.`));
		const again = await loadIdentity(path);
		t.is(again.id, first.id);
		t.is(keyNumber(again.key().succession), number);
		t.is(again.keySince(), AT);
		t.true(again.key().privateKey.equals(identity.key().privateKey));
	}
	const after = await readFile(join(path, "identity.pem"), "utf8");
	t.false(after.includes(before.split("\n")[1] ?? ""), "the first private key is gone");
	t.is((await stat(join(path, "identity.pem"))).mode & 0o777, 0o600);
	t.deepEqual(await readdir(path), ["identity.pem"], "nothing else is left");
	const last = await loadIdentity(path);
	await t.throwsAsync(last.rotate(AT), { instanceOf: RangeError });
	t.is(await readFile(join(path, "identity.pem"), "utf8"), after);
});

test("rotate › that cannot write leaves the key that there was, and takes up again after a crash", async (t) => {
	const path = await stateDir(t);
	const identity = await loadIdentity(path);
	const { succession } = identity.key();
	// A directory in the way is as good as a disk that is full.
	await mkdir(join(path, "identity.pem.new", "in the way"), { recursive: true });
	await t.throwsAsync(identity.rotate(AT), { code: "STORE_FAILED" });
	t.is(identity.key().succession, succession);
	t.is((await loadIdentity(path)).key().succession, succession);
	await rm(join(path, "identity.pem.new"), { recursive: true });
	await writeFile(join(path, "identity.pem.new"), "half of a");
	t.is((await loadIdentity(path)).key().succession, succession);
	await identity.rotate(AT);
	t.is(keyNumber((await loadIdentity(path)).key().succession), 2);
	t.deepEqual(await readdir(path), ["identity.pem"]);
});

test("loadIdentity › takes no file that was cut off, nor the key of one rotation with the succession of another", async (t) => {
	const path = await stateDir(t);
	const file = join(path, "identity.pem");
	const identity = await loadIdentity(path);
	const first = await readFile(file, "utf8");
	await identity.rotate(AT);
	const second = await readFile(file, "utf8");
	await identity.rotate(AT);
	const third = await readFile(file, "utf8");
	for (let length = 0; length < third.length - 1; length += 7) {
		await writeFile(file, third.slice(0, length));
		await t.throwsAsync(loadIdentity(path), { code: "STORE_FAILED" }, String(length));
	}
	const [succession = ""] = third.split("-----BEGIN PRIVATE");
	const mixed = [
		succession + first,
		succession + second.slice(second.indexOf("-----BEGIN PRIVATE")),
		succession.replace(/[A-Z]\n/, "!\n") + third.slice(succession.length),
	];
	for (const text of mixed) {
		await writeFile(file, text);
		await t.throwsAsync(loadIdentity(path), { code: "STORE_FAILED" });
	}
	await writeFile(file, third);
	t.is((await loadIdentity(path)).id, identity.id);
});

test("prepareStateDirectory › closes one that is open to others, and refuses a file", async (t) => {
	const path = await stateDir(t);
	await writeFile(join(path, "file"), "");
	const error = await t.throwsAsync(prepareStateDirectory(join(path, "file")), {
		instanceOf: KnibError,
	});
	t.is(error?.code, "STORE_FAILED");
});
