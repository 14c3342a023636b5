import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { checkAppliance } from "../../../apps/host-daemon/src/doctor/check-appliance.ts";

test("doctor › says what is missing for reading files out of backups, and how to install it", async (t) => {
	const root = await mkdtemp(join(tmpdir(), "knib-doctor-"));
	t.teardown(() => rm(root, { recursive: true, force: true }));
	const env = { PATH: join(root, "bin") };
	const [nothing] = await checkAppliance({ env }, root);
	t.is(nothing?.state, "warning");
	t.is(nothing?.fix, "apt-get install guestfish");
	await mkdir(join(root, "bin"));
	await writeFile(join(root, "bin/guestfish"), "");
	await chmod(join(root, "bin/guestfish"), 0o755);
	const [noKernel] = await checkAppliance({ env }, root);
	t.is(noKernel?.state, "warning");
	t.is(noKernel?.fix, "apt-get install linux-image-amd64");
	await mkdir(join(root, "boot"));
	await writeFile(join(root, "boot/vmlinuz-6.1.0"), "");
	t.is((await checkAppliance({ env }, root))[0]?.state, "ok");
	const missing = { ...env, SUPERMIN_KERNEL: join(root, "none") };
	t.is((await checkAppliance({ env: missing }, root))[0]?.state, "warning");
});
