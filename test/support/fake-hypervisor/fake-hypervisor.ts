// Hypervisor in memory, over the fake world.
import { randomUUID } from "node:crypto";
import { type Hypervisor, KnibError, type Vm } from "@knib/core";
import { readVm } from "../../../apps/host-daemon/src/hypervisor/domain-xml.ts";
import { agentCalls, stateOf } from "./fake-agent.ts";
import { commitDisk, endJob, pullDisk, switchDisks } from "./fake-blocks.ts";
import { asLive, disksIn, nameAndUuid, withDevice } from "./fake-definition.ts";
import { fakeFileUses, usersOf } from "./fake-uses.ts";
import { chainAt, type FakeVm, type FakeWorld } from "./fake-world.ts";

const PNG = Buffer.from(
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
	"base64",
);

const failed = (message: string): KnibError => new KnibError("COMMAND_FAILED", message);

const pictureOf = (vm: FakeVm): Vm => {
	const inactive = vm.inactive ?? vm.live ?? "";
	return readVm(vm.live === undefined ? { inactive } : { inactive, live: vm.live }, {
		state: stateOf(vm),
		persistent: vm.inactive !== undefined,
		managedSave: vm.saved !== undefined && vm.live === undefined,
		...(vm.live === undefined ? {} : { run: `fake:${vm.runs}` }),
		snapshots: vm.snapshots,
		checkpoints: vm.checkpoints,
		volumes: new Map(),
		busy: new Set(vm.jobs.keys()),
	});
};

const newVm = (name: string, uuid: string): FakeVm => ({
	uuid,
	name,
	paused: false,
	snapshots: [],
	checkpoints: 0,
	runs: 0,
	jobs: new Map(),
	obeysShutdown: true,
	screen: PNG,
});

/** The VM of a definition: an existing one of that uuid, or a new one. */
const vmFor = (world: FakeWorld, xml: string): FakeVm => {
	const { name, uuid = randomUUID() } = nameAndUuid(xml);
	const twin = [...world.vms.values()].find((vm) => vm.name === name && vm.uuid !== uuid);
	if (twin !== undefined) throw failed(`domain '${name}' already exists with uuid ${twin.uuid}`);
	const vm = world.vms.get(uuid) ?? newVm(name, uuid);
	world.vms.set(uuid, vm);
	return vm;
};

const startOn = (world: FakeWorld, vm: FakeVm, xml: string): void => {
	if (vm.live !== undefined) throw failed("Domain is already active");
	for (const { path } of disksIn(xml).values()) {
		if (chainAt(world, path).some((link) => world.held.has(link.path)) || usersOf(world, path)[0]) {
			throw failed(`Failed to get "write" lock on ${path}`);
		}
	}
	vm.runs = world.next();
	vm.live = asLive(xml, vm.runs);
	vm.paused = false;
	delete vm.saved;
};

const stop = (world: FakeWorld, vm: FakeVm): void => {
	delete vm.live;
	vm.jobs.clear();
	if (vm.agent !== undefined) vm.agent.frozen = false;
	if (vm.inactive === undefined) world.vms.delete(vm.uuid);
};

const lifecycle = (world: FakeWorld, get: (uuid: string) => FakeVm) => {
	const { wrap } = world.control;
	const running = (uuid: string): FakeVm => {
		const vm = get(uuid);
		if (vm.live === undefined) throw failed("domain is not running");
		return vm;
	};
	return {
		define: wrap("define", async (xml: string) => {
			disksIn(xml);
			vmFor(world, xml).inactive = xml;
		}),
		undefine: wrap("undefine", async (uuid: string, _options: { nvram?: boolean } = {}) => {
			const vm = get(uuid);
			delete vm.inactive;
			if (vm.live === undefined) world.vms.delete(uuid);
		}),
		create: wrap("create", async (xml: string) => {
			const known = world.vms.has(nameAndUuid(xml).uuid ?? "");
			const vm = vmFor(world, xml);
			try {
				startOn(world, vm, xml);
			} catch (thrown) {
				if (!known) world.vms.delete(vm.uuid);
				throw thrown;
			}
		}),
		start: wrap("start", async (uuid: string) => {
			const vm = get(uuid);
			startOn(world, vm, vm.saved ?? vm.inactive ?? "");
		}),
		shutdown: wrap("shutdown", async (uuid: string, _deadlineMs: number) => {
			const vm = get(uuid);
			if (vm.live !== undefined && !vm.obeysShutdown) {
				throw new KnibError("DEADLINE", "the guest did not shut down in time");
			}
			stop(world, vm);
		}),
		destroy: wrap("destroy", async (uuid: string) => stop(world, get(uuid))),
		suspend: wrap("suspend", async (uuid: string) => {
			running(uuid).paused = true;
		}),
		resume: wrap("resume", async (uuid: string) => {
			running(uuid).paused = false;
		}),
		attach: wrap("attach", async (uuid: string, deviceXml: string) => {
			const vm = get(uuid);
			if (vm.inactive !== undefined) vm.inactive = withDevice(vm.inactive, deviceXml);
			if (vm.live !== undefined) vm.live = withDevice(vm.live, deviceXml);
		}),
		screenshot: wrap("screenshot", async (uuid: string) => running(uuid).screen),
	};
};

/** In-memory Hypervisor on a world. */
export const createFakeHypervisor = (world: FakeWorld): Hypervisor => {
	const { wrap } = world.control;
	const get = (uuid: string): FakeVm => {
		const vm = world.vms.get(uuid);
		if (vm === undefined) throw new KnibError("VM_NOT_FOUND", `no VM ${uuid}`);
		return vm;
	};
	return {
		versions: wrap("versions", async () => ({ libvirt: "9.0.0", qemu: "7.2.22" })),
		list: wrap("list", async () =>
			[...world.vms.values()].map((vm) => ({ uuid: vm.uuid, name: vm.name, state: stateOf(vm) })),
		),
		vm: wrap("vm", async (idOrName) => {
			const vms = [...world.vms.values()];
			const found = world.vms.get(idOrName) ?? vms.find((vm) => vm.name === idOrName);
			return found === undefined ? undefined : pictureOf(found);
		}),
		fileUses: wrap("fileUses", async () => fakeFileUses(world)),
		networks: wrap("networks", async () => [{ name: "default", active: true }]),
		settle: wrap("settle", async (uuid) => void get(uuid)),
		switchToOverlays: wrap("switchToOverlays", async (uuid, overlays) =>
			switchDisks(world, get(uuid), overlays),
		),
		commit: wrap("commit", async (uuid, disk, options = {}) =>
			commitDisk(world, get(uuid), disk, options),
		),
		endBlockJob: wrap("endBlockJob", async (uuid, target, how) =>
			endJob(world, get(uuid), target, how),
		),
		pull: wrap("pull", async (uuid, target, _rate, options = {}) =>
			pullDisk(world, get(uuid), target, options),
		),
		...lifecycle(world, get),
		...agentCalls(world, get),
	};
};
