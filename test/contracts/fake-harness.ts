// The harnesses of the contracts over the in-memory world.
import { randomUUID } from "node:crypto";
import { fakeDefinition } from "../support/fake-hypervisor/fake-definition.ts";
import { createFakeDiskImages } from "../support/fake-hypervisor/fake-disk-images.ts";
import { createFakeHypervisor } from "../support/fake-hypervisor/fake-hypervisor.ts";
import {
	addFakeImage,
	chainAt,
	createFakeWorld,
	type FakeVm,
	type FakeWorld,
	imageAt,
	valueAt,
	writeClusters,
} from "../support/fake-hypervisor/fake-world.ts";
import type { HypervisorHarness } from "./hypervisor-harness.ts";
import { CLUSTER, type ImageHarness } from "./image-harness.ts";

const DIRECTORY = "/vms/a b,c:d";

/** In-memory images of a world. */
export const fakeImageHarness = (world: FakeWorld = createFakeWorld()): ImageHarness => ({
	images: createFakeDiskImages(world),
	directory: DIRECTORY,
	image: async (name, image) => {
		addFakeImage(world, `${DIRECTORY}/${name}`, image);
		return `${DIRECTORY}/${name}`;
	},
	fill: async ({ path }, { start, length, value }) => {
		const clusters = Array.from({ length: length / CLUSTER }, (_, at) => start / CLUSTER + at);
		writeClusters(
			world,
			path,
			clusters.map((cluster) => [cluster, value] as const),
		);
	},
	read: async ({ path }, offset) => valueAt(chainAt(world, path), Math.floor(offset / CLUSTER)),
	nameBacking: async (path, backing) => {
		imageAt(world, path).backing = backing;
	},
	close: async () => undefined,
});

const vmOf = (world: FakeWorld, uuid: string): FakeVm => {
	const vm = world.vms.get(uuid);
	if (vm === undefined) throw new Error(`no VM ${uuid}`);
	return vm;
};

/** In-memory VMs. */
export const fakeHypervisorHarness = (): HypervisorHarness => {
	const world = createFakeWorld();
	const hypervisor = createFakeHypervisor(world);
	const harness = fakeImageHarness(world);
	return {
		...harness,
		hypervisor,
		definition: (vm) => fakeDefinition({ uuid: randomUUID(), ...vm }),
		guest: async (disks) => {
			const uuid = randomUUID();
			await hypervisor.define(fakeDefinition({ name: "guest", uuid, disks, agent: true }));
			await hypervisor.start(uuid);
			vmOf(world, uuid).agent = {
				answers: true,
				fileSystems: 2,
				frozen: false,
				run: (path, args) =>
					path === "/bin/echo"
						? { exitCode: 0, stdout: `${args.join(" ")}\n` }
						: { exitCode: 3, stdout: "" },
			};
			return uuid;
		},
		save: async (uuid) => {
			const vm = vmOf(world, uuid);
			if (vm.live !== undefined) vm.saved = vm.live;
			delete vm.live;
		},
		leaveMerge: async (uuid, { target, base, top }) => {
			vmOf(world, uuid).jobs.set(target, { base, top, ready: true });
		},
		snapshot: async (uuid, target, path) => {
			const before = (await hypervisor.vm(uuid))?.disks.find((disk) => disk.target === target);
			const frozen = before?.path === undefined ? [] : [before.path];
			await hypervisor.switchToOverlays(uuid, [{ target, path }]);
			const vm = vmOf(world, uuid);
			const snapshot = { name: "mine", memory: false, files: [path, ...frozen], frozen };
			vm.snapshots = [...vm.snapshots, snapshot];
		},
	};
};
