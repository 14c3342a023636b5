// The daemon dies after any line of the journal of a restore as a new VM, on real files with a libvirt in memory: ACCEPTANCE H6.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Hypervisor } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { createDiskImages } from "../../apps/host-daemon/src/hypervisor/qemu-img.ts";
import { runCommand } from "../../apps/host-daemon/src/hypervisor/run-command.ts";
import { memoryLibvirt } from "../support/memory-libvirt.ts";
import { countingIds, movingClock } from "../support/moving-clock.ts";
import { restoreRepository, TARGETS } from "../support/restore-repository.ts";
import { contentOf, serviceWorld } from "../support/service-world.ts";
import { temporaryDirectory } from "../support/store/temporary-directory.ts";

const machine = {
	capabilities: async () => ({ qemuUser: { uid: 0, gid: 0 }, securityModels: [] }),
	unreadable: async () => [],
	domainCapabilities: async () => ({ cpuModels: new Map(), cpuModes: [], videoModels: null }),
	freeMemory: () => 0,
};

const aRepository = async (t: ExecutionContext): Promise<string> => {
	const path = join(await temporaryDirectory(t), "repository");
	const images = createDiskImages({ run: runCommand });
	// Without a TPM, whose state would go where this machine's libvirt keeps it.
	const parts = { images, clock: movingClock(), ids: countingIds() };
	await restoreRepository({ path, source: "/nowhere", tpm: false, ...parts });
	return path;
};

/** Kills the daemon after a line of the journal and starts it again. False when the journal has no such line. */
const survive = async (t: ExecutionContext, template: string, line: number): Promise<boolean> => {
	const { hypervisor, vms } = memoryLibvirt({ clock: movingClock() });
	const libvirt = { hypervisor: hypervisor as Hypervisor, machine };
	const world = await serviceWorld(t, { template, libvirt });
	const point = world.members.at(-1);
	const { id = "", vm = "", chain = "" } = point?.manifest.identity ?? {};
	const storage = join(world.directory, "vm");
	mkdirSync(storage);
	const request = { type: "Restore", mode: "new", backup: id, name: "copy", storage } as const;
	const disks = (): readonly string[] =>
		[...vms.values()].flatMap((one) => one.disks.flatMap(({ path }) => path ?? []));
	const assertWhole = async (when: string): Promise<void> => {
		t.is(vms.size, 1, when);
		for (const [at, target] of TARGETS.entries()) {
			const layer = join(point?.path ?? "", `${target}.qcow2`);
			t.is(await contentOf(disks()[at] ?? ""), await contentOf(layer), when);
		}
	};
	const dying = await world.start(line);
	const running = dying.service.start(
		{ ...request, networks: {}, keepMac: false, start: false, quick: false },
		"test",
	);
	const job = await Promise.race([running, dying.death.then(() => undefined)]);
	const died = await Promise.race([dying.death.then(() => true), dying.idle().then(() => false)]);
	if (!died) {
		const end = (await dying.jobs()).find((one) => one.id === job?.id);
		t.is(end?.state, "succeeded", end?.error?.message);
		await assertWhole("a whole run");
		await dying.service.stop();
		return false;
	}
	const again = await world.start();
	await again.service.recovered;
	const [ended] = await again.jobs();
	if (ended?.state === "succeeded") await assertWhole(`after line ${line}`);
	else {
		t.is(ended?.error?.code, "INTERRUPTED", `after line ${line}`);
		t.deepEqual(readdirSync(storage), [], `after line ${line}`);
		t.is(vms.size, 0, `after line ${line}`);
		const next = await again.run(request);
		t.is(next.state, "succeeded", next.error?.message);
		await assertWhole(`again after line ${line}`);
	}
	t.true(disks().every((path) => existsSync(path)));
	t.deepEqual(await world.repository.holds(vm, chain), [], `after line ${line}`);
	await again.service.stop();
	return true;
};

test("crash › a restore as a new VM is whole or gone when the daemon dies after any line of its journal", async (t) => {
	t.timeout(300_000);
	const template = await aRepository(t);
	let line = 1;
	while (await survive(t, template, line)) line += 1;
	t.log(`${line - 1} lines`);
	t.true(line > 8);
});
