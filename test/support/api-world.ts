// A daemon's control API in process: real unix socket, catalog over documents in memory, fake jobs, VMs as the test gives them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	type Hypervisor,
	type JobRequest,
	KnibError,
	offeringCreateInputSchema,
	type Vm,
} from "@knib/core";
import type { z } from "zod";
import { createInventory } from "../../apps/host-daemon/src/api/inventory.ts";
import { startApi } from "../../apps/host-daemon/src/api/server.ts";
import type { Benchmark } from "../../apps/host-daemon/src/benchmark/benchmark.ts";
import {
	type CatalogDocuments,
	createCatalog,
} from "../../apps/host-daemon/src/catalog/create-catalog.ts";
import type { BackupFiles } from "../../apps/host-daemon/src/files/backup-files.ts";
import type { BackupCare } from "../../apps/host-daemon/src/jobs/backup-care.ts";
import type { JobService } from "../../apps/host-daemon/src/jobs/job-service.ts";
import { createLogger } from "../../apps/host-daemon/src/logger.ts";
import { aVm } from "./builders/facts.ts";
import { type Fate, fakeJobService } from "./fake-job-service.ts";
import { fakeRepositories } from "./fake-repositories.ts";
import { memoryCatalogDocuments } from "./memory-documents.ts";

const AT = "2026-01-02T03:04:05.000Z";

const notHere = async (): Promise<never> => {
	throw new KnibError("INTERNAL", "not in this world");
};

/** Nothing is deleted in this world, and nothing stands in the way of anything. */
const careless: BackupCare = {
	undelete: notHere,
	pin: notHere,
	unpin: notHere,
	blocked: async () => [],
	blockedOf: async () => [],
};

/** A catalog with a default offering, over documents in memory. */
export const aCatalog = async (
	screens?: string,
	documents: CatalogDocuments = memoryCatalogDocuments(),
) => {
	const repositories = fakeRepositories(screens);
	let made = 0;
	const books = createCatalog({
		documents,
		driver: repositories.driver,
		host: { id: "fe".repeat(32), name: "here" },
		configured: {},
		now: () => AT,
		uuid: () => {
			made += 1;
			return `0196f000-0000-7000-8000-00000000${String(made).padStart(4, "0")}`;
		},
	});
	return { books, documents, repositories };
};

/** Creates an offering whose other fields have their defaults. */
export const createOffering = async (
	books: Awaited<ReturnType<typeof aCatalog>>["books"],
	fields: z.input<typeof offeringCreateInputSchema>,
) => (await books.offerings.create(offeringCreateInputSchema.parse(fields))).apply();

/** Serves until `close`. */
export const apiWorld = async (
	options: {
		readonly vms?: readonly Vm[];
		/** Instead of one that has just `vms`. */
		readonly hypervisor?: Pick<Hypervisor, "versions" | "list" | "vm">;
		readonly fateOf?: (request: JobRequest) => Fate;
		readonly directory?: string;
		/** Where it listens; absent: `s` in the directory. */
		readonly socket?: string;
		/** Instead of fake jobs with fates. */
		readonly jobService?: JobService;
		/** Directory of the screen that every backup showed; see fakeRepositories. */
		readonly screens?: string;
		readonly listFiles?: BackupFiles["list"];
		readonly benchmark?: Pick<Benchmark, "run" | "stop">;
		/** Where the catalog is kept; absent: copies in memory. */
		readonly documents?: CatalogDocuments;
	} = {},
) => {
	const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "knib-")));
	const socket = options.socket ?? join(directory, "s");
	const vms = options.vms ?? [aVm()];
	const { books, documents, repositories } = await aCatalog(options.screens, options.documents);
	const jobs = fakeJobService(options.fateOf ?? (() => ({ kind: "succeeds", result: {} })));
	const hypervisor: Pick<Hypervisor, "versions" | "list" | "vm"> = options.hypervisor ?? {
		versions: async () => ({ libvirt: "9.0.0", qemu: "7.2.0" }),
		list: async () => vms.map(({ uuid, name, state }) => ({ uuid, name, state })),
		vm: async (text) => vms.find((vm) => vm.uuid === text || vm.name === text),
	};
	const images = {
		info: async (path: string): Promise<never> => {
			throw new KnibError("COMMAND_FAILED", `no image ${path}`);
		},
	};
	const here = { id: "fe".repeat(32), name: "here" };
	const server = await startApi({
		socket,
		limits: { clients: 64, message: 64 * 1024 },
		logger: createLogger("silent"),
		deps: {
			books,
			jobs: options.jobService ?? jobs.service,
			care: careless,
			files: { list: options.listFiles ?? notHere, log: notHere },
			benchmark: options.benchmark ?? { run: notHere, stop: notHere },
			host: here,
			now: () => AT,
			ready: Promise.resolve(),
			daemon: () => ({
				host: here,
				version: "0.0.0",
				pid: process.pid,
				startedAt: AT,
				stateDir: directory,
				socket,
				ready: true,
			}),
			hypervisor,
			images,
			inventory: createInventory({ books, hypervisor, images, host: here, now: () => AT }),
			init: async () => {
				throw new KnibError("INTERNAL", "not in this world");
			},
		},
	});
	await createOffering(books, { name: "default" });
	return {
		socket,
		directory,
		books,
		documents,
		repositories,
		jobs,
		close: async () => {
			await server.close();
			await rm(directory, { recursive: true, force: true });
		},
	};
};
export type ApiWorld = Awaited<ReturnType<typeof apiWorld>>;
