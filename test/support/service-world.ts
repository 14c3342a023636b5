// A host without libvirt: a real repository with a chain of three backups of two disks made by qemu-img, a catalog and a job service.
// The daemon can be killed after any line of its journal and started again on what it left.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	type DiskImages,
	type Hypervisor,
	isTerminal,
	type Job,
	type JobRequest,
	type JobRequestInput,
	jobRequestSchema,
	KnibError,
	type Layer,
	type Manifest,
	offeringCreateInputSchema,
	type PublishedBackup,
	type Repository,
	type Store,
} from "@knib/core";
import { createMemoryStore } from "@knib/sync";
import {
	catalogDocuments,
	createCatalog,
} from "../../apps/host-daemon/src/catalog/create-catalog.ts";
import type { StartAppliance } from "../../apps/host-daemon/src/files/launch.ts";
import type { ValidationMachine } from "../../apps/host-daemon/src/hypervisor/host-capabilities.ts";
import { createDiskImages } from "../../apps/host-daemon/src/hypervisor/qemu-img.ts";
import { runCommand } from "../../apps/host-daemon/src/hypervisor/run-command.ts";
import {
	createJobService,
	type RunningJobService,
} from "../../apps/host-daemon/src/jobs/create-job-service.ts";
import { createRepositoryDriver } from "../../apps/host-daemon/src/repository/driver.ts";
import { systemClock } from "../../apps/host-daemon/src/system-clock.ts";
import { testIds } from "../contracts/repository-harness.ts";
import { aChild, aManifest } from "./builders/manifest.ts";
import { hang, mortal } from "./mortal.ts";

const SIZE = 8 << 20;
const DISKS = ["vda", "vdb"].map((target) => ({ target, virtualSize: SIZE }));
const HOST_ID = "host-a";

const qemuImg = (...args: readonly string[]): string =>
	execFileSync("qemu-img", args, { encoding: "utf8" });

/** Writes a run of one byte into a qcow2 image. */
export const writeBytes = (file: string, pattern: number, at: number, length: number): void => {
	execFileSync("qemu-io", ["-f", "qcow2", "-c", `write -P ${pattern} ${at} ${length}`, file]);
};

/** Writes random bytes, which no library makes smaller. */
export const writeNoise = (file: string, length: number): void => {
	const noise = `${file}.noise`;
	writeFileSync(noise, randomBytes(length));
	execFileSync("qemu-io", ["-f", "qcow2", "-c", `write -s ${noise} 0 ${length}`, file]);
	rmSync(noise);
};

/** SHA-256 of what a guest would read of an image with all below it. */
export const contentOf = async (file: string): Promise<string> => {
	const raw = `${file}.raw-${Math.random().toString(36).slice(2)}`;
	qemuImg("convert", "-f", "qcow2", "-O", "raw", file, raw);
	const digest = createHash("sha256")
		.update(await readFile(raw))
		.digest("hex");
	await rm(raw);
	return digest;
};

/** What `qemu-img info` says of an image. */
export const imageOf = (file: string): Record<string, unknown> => {
	const parsed: unknown = JSON.parse(qemuImg("info", "--output=json", "-f", "qcow2", file));
	return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
};

type Content = (file: string, sequence: number) => void;

const compressible: Content = (file, sequence) => {
	writeBytes(file, sequence, sequence << 20, 2 << 20);
	writeBytes(file, 0x40 + sequence, 0, 1 << 16);
};

const makeLayer = async (
	images: DiskImages,
	directory: string,
	target: string,
	parent: PublishedBackup | undefined,
	sequence: number,
	content: Content,
): Promise<Layer> => {
	const file = join(directory, `${target}.qcow2`);
	const below = parent === undefined ? [] : ["-F", "qcow2", "-b", `${parent.path}/${target}.qcow2`];
	qemuImg("create", "-q", "-f", "qcow2", ...below, file, String(SIZE));
	content(file, sequence);
	const backing =
		parent === undefined ? null : `../${parent.path.split("/").at(-1)}/${target}.qcow2`;
	if (backing !== null) {
		qemuImg("rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", backing, file);
	}
	const facts = await images.hash(file);
	const virtualSize = SIZE;
	const uncompressedSize = facts.allocated;
	const name = `${target}.qcow2`;
	return {
		target,
		file: name,
		...facts,
		uncompressedSize,
		virtualSize,
		backing,
		compression: null,
	};
};

const publishOne = async (
	repository: Repository,
	images: DiskImages,
	manifest: Manifest,
	parent: PublishedBackup | undefined,
	content: Content,
): Promise<PublishedBackup> => {
	const { id, sequence } = manifest.identity;
	const { path } = await repository.incoming(id);
	await writeFile(join(path, "domain-inactive.xml"), "<domain/>");
	const layers: Layer[] = [];
	for (const { target } of DISKS) {
		layers.push(await makeLayer(images, path, target, parent, sequence, content));
	}
	return await repository.publish({
		...manifest,
		repository: { id: repository.id, name: repository.name },
		generation: { ...manifest.generation, layers },
	});
};

const publishChain = async (
	repository: Repository,
	images: DiskImages,
	offering: Record<string, unknown>,
	content: Content,
): Promise<readonly PublishedBackup[]> => {
	const members: PublishedBackup[] = [];
	for (const _ of [1, 2, 3]) {
		const parent = members.at(-1);
		const full = { id: "0196f000-0000-7000-8000-00000000f001", name: "standard", ...offering };
		const manifest =
			parent === undefined
				? aManifest({ identity: { disks: DISKS }, offering: full })
				: aChild(parent.manifest, { offering: full });
		members.push(await publishOne(repository, images, manifest, parent, content));
	}
	return members;
};

const startNothing: StartAppliance = async () => {
	throw new KnibError("APPLIANCE_UNAVAILABLE", "there is no appliance in this world");
};

const noLibvirt = {
	vm: async () => undefined,
	list: async () => [],
	settle: async () => undefined,
	fileUses: async () => [],
} as unknown as Hypervisor;

/** Options of a world: what the backups hold, and the offering as their manifests keep it. */
export type ServiceWorldOptions = {
	/** Directory of a repository to be copied instead of being made. */
	readonly template?: string;
	readonly content?: Content;
	readonly offering?: Record<string, unknown>;
	/** Name of the host; the backups' manifests name `a.example`. */
	readonly host?: string;
	/** Bytes that the repository says are free. */
	readonly free?: number;
	/** What stands in for libvirt and for what the host can do; absent: a libvirt without VMs. */
	readonly libvirt?: { readonly hypervisor: Hypervisor; readonly machine: ValidationMachine };
	/** What reads file systems; absent: nothing can. */
	readonly startAppliance?: StartAppliance;
};

type Teardown = { teardown: (run: () => Promise<void>) => void };

/** Makes the repository and its chain; `start` starts a daemon on them. */
export const serviceWorld = async (t: Teardown, options: ServiceWorldOptions = {}) => {
	const host = { id: HOST_ID, name: options.host ?? "here" };
	const directory = await mkdtemp(join(tmpdir(), "knib-service-"));
	t.teardown(() => rm(directory, { recursive: true, force: true }));
	const store: Store = createMemoryStore({ owner: host.id });
	const images = createDiskImages({ run: runCommand });
	const driver = createRepositoryDriver({ clock: systemClock, ids: testIds, hostId: host.id });
	const path = join(directory, "repository");
	const { template } = options;
	if (template !== undefined) execFileSync("cp", ["-a", "--sparse=always", template, path]);
	const { repository } = await driver.openOrCreate(path, "main");
	if (template === undefined) {
		await publishChain(repository, images, options.offering ?? {}, options.content ?? compressible);
	}
	const [vm = ""] = await repository.vms();
	const members = (await repository.chains(vm))[0]?.members ?? [];
	const { free } = options;
	const open = async (at: string): Promise<Repository> => {
		const opened = await driver.open(at);
		if (free === undefined) return opened;
		return { ...opened, state: async () => ({ ...(await opened.state()), free }) };
	};
	const books = createCatalog({
		documents: catalogDocuments(store),
		driver: { ...driver, open },
		host,
		configured: {},
		now: systemClock.now,
		uuid: testIds.uuid,
	});
	const offering = offeringCreateInputSchema.parse({ name: "default" });
	await (await books.offerings.create(offering)).apply();
	const added = { name: "main", path, default: true, dryRun: false };
	await (await books.repositoryChanges.add(added)).apply();
	const problems: unknown[] = [];

	/** Starts a daemon that dies after the given line of its journal. */
	const start = async (dieAfter = Number.POSITIVE_INFINITY) => {
		let dead = false;
		const isDead = () => dead;
		let died: () => void = () => undefined;
		const death = new Promise<void>((resolve) => {
			died = resolve;
		});
		const service: RunningJobService = await createJobService({
			deps: {
				hypervisor:
					options.libvirt === undefined ? noLibvirt : mortal(options.libvirt.hypervisor, isDead),
				images: mortal(images, isDead),
				catalog: mortal(
					{
						...books.catalog,
						open: async (idOrName) => mortal(await books.catalog.open(idOrName), isDead),
					},
					isDead,
				),
				clock: systemClock,
				ids: testIds,
				host,
				version: "0.0.0",
				thawWatchdog: hang,
				startAppliance: options.startAppliance ?? startNothing,
				retired: () => undefined,
				scratch: directory,
				machine: mortal(options.libvirt?.machine ?? ({} as never), () =>
					options.libvirt === undefined ? true : dead,
				),
			},
			store: mortal(store, isDead),
			backups: () => books.backups.list({ all: false }),
			stateDir: join(directory, "state"),
			onProblem: (problem) => problems.push(problem),
			onJournalLine: (count) => {
				if (count !== dieAfter) return;
				dead = true;
				died();
			},
		});
		/** Resolves with the job as soon as `until` holds of it. */
		const follow = async (
			id: string,
			until = (job: Job) => isTerminal(job.state),
		): Promise<Job> => {
			const stop = new AbortController();
			for await (const event of service.watchAll(stop.signal)) {
				const now = (await store.get("job", id))?.body as Job | undefined;
				if (now !== undefined && until(now)) return now;
				void event;
			}
			throw new Error("the events ended");
		};
		const settle = async (until: () => Promise<boolean>): Promise<void> => {
			for (let tries = 0; tries < 4800; tries++) {
				if (await until()) return;
				await systemClock.sleep(25);
			}
			throw new Error("it never came to be");
		};
		const jobs = async (): Promise<readonly Job[]> =>
			(await store.list("job")).map((one) => one.body as Job);
		const idle = (): Promise<void> =>
			settle(async () => (await jobs()).every((job) => isTerminal(job.state)));
		const run = async (input: JobRequestInput): Promise<Job> => {
			const request: JobRequest = jobRequestSchema.parse(input);
			const job = await service.start(request, "test");
			await idle();
			const [ended] = (await jobs()).filter((one) => one.id === job.id);
			if (ended === undefined) throw new Error("the job is gone");
			return ended;
		};
		return { service, run, jobs, idle, settle, follow, death };
	};
	const chain = async () => {
		const [found] = await repository.chains(vm);
		if (found === undefined) throw new Error("the chain is gone");
		return found;
	};
	/** Brings the view up to date with the repository. */
	const record = async (): Promise<void> => {
		const [known] = await books.catalog.repositories();
		if (known !== undefined) await books.catalog.recordChain(known, await chain());
	};
	return {
		...{ directory, path, repository, books, images, store, members, problems },
		...{ start, chain, record },
	};
};
export type ServiceWorld = Awaited<ReturnType<typeof serviceWorld>>;
