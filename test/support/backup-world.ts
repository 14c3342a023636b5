// A host in memory: a running VM with two disks, a repository and the job service, all over the fake ports that the contract suites
// hold to the real ones. The daemon can be killed after any line of its journal and started again on what it left.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	isOverlayName,
	isTerminal,
	type Job,
	type JobRequestInput,
	jobRequestSchema,
	offeringCreateInputSchema,
	type Repository,
	type Store,
} from "@knib/core";
import { createMemoryStore } from "@knib/sync";
import {
	catalogDocuments,
	createCatalog,
} from "../../apps/host-daemon/src/catalog/create-catalog.ts";
import type { ValidationMachine } from "../../apps/host-daemon/src/hypervisor/host-capabilities.ts";
import { createJobService } from "../../apps/host-daemon/src/jobs/create-job-service.ts";
import { systemClock } from "../../apps/host-daemon/src/system-clock.ts";
import { testIds } from "../contracts/repository-harness.ts";
import { activeOf } from "./fake-hypervisor/fake-blocks.ts";
import { guestView } from "./fake-hypervisor/fake-copies.ts";
import { createFakeDiskImages } from "./fake-hypervisor/fake-disk-images.ts";
import { createFakeHypervisor } from "./fake-hypervisor/fake-hypervisor.ts";
import {
	addFakeImage,
	CLUSTER,
	chainAt,
	createFakeWorld,
	type FakeVm,
	type FakeWorld,
	headerOf,
	writeClusters,
} from "./fake-hypervisor/fake-world.ts";
import {
	createMemoryRepository,
	type MemoryRepository,
	type SimulatedFiles,
} from "./memory-repository.ts";
import { hang, mortal } from "./mortal.ts";

const VM = "11111111-2222-4333-8444-555555555555";
const SIZE = 16 * CLUSTER;
const DISKS = [
	{ target: "vda", path: "/vm/a.qcow2", format: "qcow2" },
	{ target: "vdb", path: "/vm/b.raw", format: "raw" },
] as const;
export type Target = (typeof DISKS)[number]["target"];
export const TARGETS: readonly Target[] = ["vda", "vdb"];

type DiskText = { readonly target: string; readonly path: string; readonly format: string };

const definitionOf = (disks: readonly DiskText[]): string =>
	`<domain type='kvm'><name>web01</name><uuid>${VM}</uuid><memory>1024</memory><os><type arch='x86_64'>hvm</type></os><devices>${disks
		.map(
			({ target, path, format }) =>
				`<disk type='file' device='disk'><driver name='qemu' type='${format}'/><source file='${path}'/><target dev='${target}' bus='virtio'/></disk>`,
		)
		.join("")}</devices></domain>`;

/** Layers are images of the world too, so that a point can be read as a guest would read it. */
const layerFiles = (world: FakeWorld): SimulatedFiles => {
	const below = (directory: string): string[] =>
		[...world.images.keys()].filter((path) => path.startsWith(`${directory}/`));
	return {
		layer: (path) => {
			const image = world.images.get(path);
			if (image === undefined) return undefined;
			const size = (image.clusters.size + 1) * CLUSTER;
			return { size, headerDigest: headerOf(image), backing: image.backing?.name ?? null };
		},
		renamed: (from, to) => {
			for (const path of below(from)) {
				const image = world.images.get(path);
				world.images.delete(path);
				if (image !== undefined) world.images.set(to + path.slice(from.length), image);
			}
		},
		removed: (directory) => {
			for (const path of below(directory)) world.images.delete(path);
		},
	};
};

type Teardown = { teardown: (run: () => Promise<void>) => void };
type View = Readonly<Record<Target, readonly (readonly [number, number])[]>>;

/** What another host shares with a world's: the repository and the files in it. */
type Shared = { readonly world: FakeWorld; readonly repository: MemoryRepository };

/** Makes the VM, running, and the repository; `start` starts a daemon on them. With `beside` it is another host with a VM of the same uuid, on disks of its own, at the repository of that world. */
export const backupWorld = async (t: Teardown, beside?: Shared) => {
	const directory = await mkdtemp(join(tmpdir(), "knib-backup-"));
	const close = (): Promise<void> => rm(directory, { recursive: true, force: true });
	t.teardown(close);
	const world: FakeWorld =
		beside === undefined ? createFakeWorld() : { ...beside.world, vms: new Map() };
	const place = beside === undefined ? "/vm" : "/other";
	const own = DISKS.map((disk) => ({ ...disk, path: disk.path.replace("/vm", place) }));
	for (const { path, format } of own) addFakeImage(world, path, { format, size: SIZE });
	const hypervisor = createFakeHypervisor(world);
	const images = createFakeDiskImages(world);
	await hypervisor.define(definitionOf(own));
	await hypervisor.start(VM);
	const host =
		beside === undefined ? { id: "host-a", name: "here" } : { id: "host-b", name: "there" };
	const store: Store = createMemoryStore({ owner: host.id });
	const path = beside?.repository.path ?? join(directory, "repository");
	const memory = createMemoryRepository({
		...{ clock: systemClock, path, files: layerFiles(world) },
		...(beside === undefined ? {} : { storage: beside.repository.storage }),
	});
	const repository: Repository & typeof memory = {
		...memory,
		incoming: async (backup) => {
			const made = await memory.incoming(backup);
			await mkdir(made.path, { recursive: true });
			return made;
		},
	};
	const books = createCatalog({
		documents: catalogDocuments(store),
		driver: {
			open: async () => repository,
			openOrCreate: async () => ({ repository, created: true }),
			inspect: async () => "repository",
		},
		host,
		configured: {},
		now: systemClock.now,
		uuid: testIds.uuid,
	});
	const offering = offeringCreateInputSchema.parse({ name: "default" });
	await (await books.offerings.create(offering)).apply();
	await (await books.repositoryChanges.add({ name: "main", path, default: true })).apply();
	const problems: unknown[] = [];
	/** What qemu's user cannot open. */
	const closed: RegExp[] = [];
	const machine: ValidationMachine = {
		capabilities: async () => ({ qemuUser: { uid: 7, gid: 8 }, securityModels: [] }),
		unreadable: async (_, paths) => paths.filter((one) => closed.some((what) => what.test(one))),
		domainCapabilities: async () => undefined,
		freeMemory: () => 0,
	};

	/** Starts a daemon that dies after the given line of its journal. */
	const start = async (dieAfter = Number.POSITIVE_INFINITY) => {
		let dead = false;
		const isDead = () => dead;
		let died: () => void = () => undefined;
		const death = new Promise<void>((resolve) => {
			died = resolve;
		});
		const service = await createJobService({
			deps: {
				hypervisor: mortal(hypervisor, isDead),
				images: mortal(images, isDead),
				catalog: mortal({ ...books.catalog, open: async () => mortal(repository, isDead) }, isDead),
				clock: systemClock,
				ids: testIds,
				host,
				version: "0.0.0",
				thawWatchdog: hang,
				startAppliance: () => {
					throw new Error("there is no appliance in this world");
				},
				retired: (file) => world.images.delete(file),
				scratch: directory,
				machine: mortal(machine, isDead),
			},
			store: mortal(store, isDead),
			stateDir: join(directory, "state"),
			onProblem: (problem) => problems.push(problem),
			onJournalLine: (count) => {
				if (count !== dieAfter) return;
				dead = true;
				died();
			},
		});
		const jobs = async (): Promise<readonly Job[]> =>
			(await store.list("job")).map((one) => one.body as Job);
		/** The job's document once it has ended; undefined when the daemon died first. */
		const run = async (input: JobRequestInput): Promise<Job | undefined> => {
			const stop = new AbortController();
			const events = service.watchAll(stop.signal)[Symbol.asyncIterator]();
			const first = events.next();
			const { id } = await service.start(jobRequestSchema.parse(input), "test");
			const end = (async () => {
				for (let event = await first; event.done !== true; event = await events.next()) {
					if (event.value.type === "end" && event.value.job.id === id) break;
				}
				return (await jobs()).find((job) => job.id === id && isTerminal(job.state));
			})();
			const ended = await Promise.race([end, death.then(() => undefined)]);
			stop.abort();
			return ended;
		};
		return { service, run, jobs, death };
	};

	const vm = (): FakeVm => {
		const found = world.vms.get(VM);
		if (found === undefined) throw new Error("the VM is gone");
		return found;
	};
	const viewOf = (paths: (target: Target) => string): View => ({
		vda: [...guestView(world, paths("vda"))],
		vdb: [...guestView(world, paths("vdb"))],
	});
	return {
		...{ world, hypervisor, images, repository, books, store, problems, closed, start, vm, close },
		uuid: VM,
		/** What the guest reads of its disks now. */
		view: (): View => viewOf((target) => activeOf(vm(), target)),
		/** What a guest would read of a backup. */
		viewOfBackup: (at: string): View => viewOf((target) => `${at}/${target}.qcow2`),
		write: (target: Target, cluster: number, value: number): void =>
			writeClusters(world, activeOf(vm(), target), [[cluster, value]]),
		/** Something other than the VM writes the lowest image of a disk. */
		writeBelow: (target: Target, value: number): void => {
			const lowest = chainAt(world, activeOf(vm(), target)).at(-1)?.path ?? "";
			writeClusters(world, lowest, [[value % 16, value]]);
		},
		/** The operator takes an external snapshot of a disk. */
		snapshot: async (target: Target, number: number): Promise<void> => {
			const top = activeOf(vm(), target);
			const { format } = chainAt(world, top)[0]?.image ?? { format: "" };
			const file = `${place}/${target}.operator-${number}`;
			addFakeImage(world, file, { format: "qcow2", size: SIZE, backing: { name: top, format } });
			await hypervisor.switchToOverlays(VM, [{ target, path: file }]);
		},
		/** The operator shuts the VM down, gives it these disks, and starts it: those that it has stay on their images. */
		giveDisks: async (targets: readonly Target[]): Promise<void> => {
			const had = (await hypervisor.vm(VM))?.disks ?? [];
			const disks = own
				.filter(({ target }) => targets.includes(target))
				.map((disk) => {
					const now = had.find(({ target }) => target === disk.target);
					const { path = disk.path, format = disk.format } = now ?? {};
					return { ...disk, path, format };
				});
			await hypervisor.destroy(VM);
			await hypervisor.define(definitionOf(disks));
			await hypervisor.start(VM);
		},
		/** What a guest reads of an image. */
		viewOfImage: (path: string) => [...guestView(world, path)],
		/** Paths of a disk's images, top first. */
		chain: (target: Target): readonly string[] =>
			chainAt(world, activeOf(vm(), target)).map((link) => link.path),
		/** How many of knib's overlays a disk carries. */
		overlays: (target: Target): number =>
			chainAt(world, activeOf(vm(), target)).filter((link) => isOverlayName(link.path)).length,
		/** All backups in the repository, the oldest chain first. */
		published: async () =>
			(await repository.chains(VM)).flatMap((chain) =>
				chain.members.map((member) => ({ ...member, problems: chain.problems })),
			),
	};
};
export type BackupWorld = Awaited<ReturnType<typeof backupWorld>>;
