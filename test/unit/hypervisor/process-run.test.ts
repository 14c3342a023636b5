import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import {
	isQemuOf,
	readRun,
	startTicks,
} from "../../../apps/host-daemon/src/hypervisor/process-run.ts";

const UUID = "0b0f3e9a-6f3e-4f6c-9d0c-2f6f6a3f9a01";
const STAT = "42 (qemu ) x (y) S 1 42 42 0 -1 4194560 1 0 0 0 2 1 0 0 20 0 3 0 475529 1 2";

test("startTicks › reads past a name with blanks and parentheses", (t) => {
	t.is(startTicks(STAT), "475529");
	t.is(startTicks(""), undefined);
});

test("isQemuOf › wants the uuid as the value of its option", (t) => {
	t.true(isQemuOf(`qemu\0-uuid\0${UUID}\0-x`, UUID));
	t.false(isQemuOf(`qemu\0-name\0${UUID}`, UUID));
	t.false(isQemuOf(`grep -uuid ${UUID}`, UUID));
	t.false(isQemuOf("", UUID));
});

test("readRun › names boot, pid and start, and differs when two processes claim the VM", async (t) => {
	const proc = await mkdtemp(join(tmpdir(), "knib-proc-"));
	t.teardown(() => rm(proc, { recursive: true, force: true }));
	const add = async (pid: number): Promise<void> => {
		await mkdir(join(proc, String(pid)));
		await writeFile(join(proc, String(pid), "cmdline"), `qemu\0-uuid\0${UUID}\0`);
		await writeFile(join(proc, String(pid), "stat"), STAT);
	};
	await mkdir(join(proc, "sys/kernel/random"), { recursive: true });
	await writeFile(join(proc, "sys/kernel/random/boot_id"), "boot\n");
	await mkdir(join(proc, "7"));
	t.is(await readRun(UUID, proc), undefined);
	await add(42);
	t.is(await readRun(UUID, proc), "boot:42@475529");
	await add(43);
	t.is(await readRun(UUID, proc), "boot:42@475529:43@475529");
});
