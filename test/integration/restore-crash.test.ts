// The daemon dies after any line of the journal of a restore as a new VM or of one disk, on real files with a libvirt in memory:
// ACCEPTANCE H6.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Hypervisor, JobRequestInput, Vm } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { createDiskImages } from "../../apps/host-daemon/src/hypervisor/qemu-img.ts";
import { runCommand } from "../../apps/host-daemon/src/hypervisor/run-command.ts";
import { lookForQuick } from "../../apps/host-daemon/src/jobs/quick-keeper.ts";
import { aDomain } from "../support/builders/definition.ts";
import { memoryLibvirt } from "../support/memory-libvirt.ts";
import { countingIds, movingClock } from "../support/moving-clock.ts";
import { qemuIo, restoreRepository, TARGETS } from "../support/restore-repository.ts";
import { contentOf, imageOf, serviceWorld } from "../support/service-world.ts";
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
	const id = "0196f000-0000-7000-8000-00000000f001";
	const offering = { id, name: "standard", allowQuickRestore: true };
	// Without a TPM, whose state would go where this machine's libvirt keeps it.
	const parts = { images, clock: movingClock(), ids: countingIds() };
	await restoreRepository({ path, source: "/nowhere", tpm: false, offering, ...parts });
	return path;
};

type Libvirt = ReturnType<typeof memoryLibvirt>;

/** A kind of restore, in a directory of its own. */
type Kind = {
	readonly title: string;
	/** Makes what is there before: returns the names of its files. */
	readonly prepare: (libvirt: Libvirt, storage: string) => Promise<readonly string[]>;
	readonly request: (backup: string, storage: string) => JobRequestInput;
	/** Disks of the backup that come back. */
	readonly targets: readonly string[];
	/** Of those that VMs have, the ones that came back. */
	readonly restored: (vms: readonly Vm[]) => readonly string[];
	/** Lines that its journal has at least. */
	readonly lines: number;
};

const asNewVm = (quick: boolean): Kind => ({
	title: quick ? "a quick restore as a new VM" : "a restore as a new VM",
	prepare: async () => [],
	request: (backup, storage) => ({
		...{ type: "Restore", mode: "new", backup, name: "copy", storage, quick, start: quick },
	}),
	targets: TARGETS,
	restored: (vms) => vms.flatMap((vm) => vm.disks.flatMap(({ path }) => path ?? [])),
	lines: 8,
});

const OWN = "own.qcow2";

const asDisk = (running: boolean, quick: boolean): Kind => ({
	title: `a ${quick ? "quick " : ""}restore of a disk to a VM that is ${running ? "running" : "off"}`,
	prepare: async ({ hypervisor }, storage) => {
		const path = join(storage, OWN);
		await runCommand(["qemu-img", "create", "-q", "-f", "qcow2", path, "1M"]);
		qemuIo(path, "write -P 9 0 64k");
		const disk = `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${path}'/><target dev='vda'/></disk>`;
		await hypervisor.define?.(aDomain(disk));
		const [vm] = (await hypervisor.list?.()) ?? [];
		if (running) await hypervisor.start?.(vm?.uuid ?? "");
		return [OWN];
	},
	request: (backup) => ({ type: "RestoreDisk", backup, disk: "vdb", vm: "a", quick }),
	targets: ["vdb"],
	restored: (vms) =>
		vms.flatMap((vm) =>
			vm.disks.flatMap(({ path = "" }) => (path.endsWith(`/${OWN}`) ? [] : path)),
		),
	lines: 6,
});

/** Kills the daemon after a line of the journal and starts it again. False when the journal has no such line. */
const survive = async (
	t: ExecutionContext,
	kind: Kind,
	template: string,
	line: number,
): Promise<boolean> => {
	const libvirt = memoryLibvirt({ clock: movingClock() });
	const { vms } = libvirt;
	const hypervisor = libvirt.hypervisor as Hypervisor;
	const world = await serviceWorld(t, { template, libvirt: { hypervisor, machine } });
	const point = world.members.at(-1);
	const { id = "", vm = "", chain = "" } = point?.manifest.identity ?? {};
	const storage = join(world.directory, "vm");
	mkdirSync(storage);
	const before = await kind.prepare(libvirt, storage);
	const machines = vms.size;
	const digests = await Promise.all(before.map((name) => contentOf(join(storage, name))));
	const disks = (): readonly string[] => kind.restored([...vms.values()]);
	const assertUntouched = async (when: string): Promise<void> => {
		for (const [at, name] of before.entries()) {
			t.is(await contentOf(join(storage, name)), digests[at] ?? "", when);
		}
		t.deepEqual(await world.repository.holds(vm, chain), [], when);
	};
	const assertWhole = async (when: string): Promise<void> => {
		t.is(vms.size, Math.max(1, machines), when);
		t.is(disks().length, kind.targets.length, when);
		for (const [at, target] of kind.targets.entries()) {
			const path = disks()[at] ?? "";
			t.true(existsSync(path), when);
			t.is(imageOf(path)["backing-filename"], undefined, when);
			t.is(
				await contentOf(path),
				await contentOf(join(point?.path ?? "", `${target}.qcow2`)),
				when,
			);
		}
		await assertUntouched(when);
	};
	type Daemon = Awaited<ReturnType<typeof world.start>>;
	/** As the daemon does at its start, and again when a job has ended. */
	const consolidated = async ({ service, idle }: Daemon): Promise<void> => {
		await idle();
		const onProblem = (problem: unknown): void => t.fail(String(problem));
		await lookForQuick({ hypervisor, jobs: service, onProblem });
		await idle();
	};
	const dying = await world.start(line);
	const running = dying.run(kind.request(id, storage)).then(() => consolidated(dying));
	const died = await Promise.race([dying.death.then(() => true), running.then(() => false)]);
	if (!died) {
		for (const job of await dying.jobs()) t.is(job.state, "succeeded", job.error?.message);
		await assertWhole("a whole run");
		await dying.service.stop();
		return false;
	}
	const when = `after line ${line}`;
	const again = await world.start();
	await again.service.recovered;
	await consolidated(again);
	const ended = (await again.jobs()).find(({ type }) => type !== "Consolidate");
	if (ended?.state === "succeeded") await assertWhole(when);
	else {
		t.is(ended?.error?.code, "INTERRUPTED", when);
		t.deepEqual(readdirSync(storage), before, when);
		t.is(vms.size, machines, when);
		t.deepEqual(disks(), [], when);
		await assertUntouched(when);
		const next = await again.run(kind.request(id, storage));
		t.is(next.state, "succeeded", next.error?.message);
		await consolidated(again);
		await assertWhole(`again ${when}`);
	}
	await again.service.stop();
	return true;
};

const KINDS = [
	asNewVm(false),
	asNewVm(true),
	asDisk(false, false),
	asDisk(true, false),
	asDisk(true, true),
];

for (const kind of KINDS) {
	test.serial(
		`crash › ${kind.title} is whole or gone when the daemon dies after any line of its journal`,
		async (t) => {
			t.timeout(300_000);
			const template = await aRepository(t);
			let line = 1;
			while (await survive(t, kind, template, line)) line += 1;
			t.log(`${line - 1} lines`);
			t.true(line > kind.lines);
		},
	);
}
