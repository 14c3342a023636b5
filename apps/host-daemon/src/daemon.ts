// The composition root: everything that the daemon consists of, wired by hand, started in order and stopped in reverse.

import type { Clock, DiskImages, Hypervisor, IdSource, Store } from "@knib/core";
import { openStoreLog, type Replica } from "@knib/sync";
import type { ApiDeps } from "./api/context.ts";
import { viewHost } from "./api/handlers/host.ts";
import { createInventory } from "./api/inventory.ts";
import { type ApiServer, startApi } from "./api/server.ts";
import { openAuditLog } from "./audit/audit-log.ts";
import { recordJobs } from "./audit/record-jobs.ts";
import { createBenchmark } from "./benchmark/benchmark.ts";
import { type AlertListener, CLOCK_ALERT, KEY_ALERT } from "./catalog/alert-book.ts";
import type { RepositoryDriver } from "./catalog/repository-book.ts";
import type { Config } from "./config.ts";
import { type BackupFiles, createBackupFiles } from "./files/backup-files.ts";
import type { StartAppliance } from "./files/launch.ts";
import { openOverlayIndex } from "./hook/overlay-index.ts";
import { createOverlayWatch } from "./hook/overlay-watch.ts";
import type { ValidationMachine } from "./hypervisor/host-capabilities.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { initCatalog } from "./init/init-catalog.ts";
import type { ThawWatchdog } from "./jobs/context.ts";
import { createJobService, type RunningJobService } from "./jobs/create-job-service.ts";
import { createGoneFiles, type GoneFiles } from "./jobs/gone-files.ts";
import { createKeptKeeper } from "./jobs/kept-keeper.ts";
import { createMergeKeeper } from "./jobs/merge-keeper.ts";
import { startQuickKeeper } from "./jobs/quick-keeper.ts";
import { createRetentionKeeper } from "./jobs/retention.ts";
import { createScheduleKeeper } from "./jobs/schedule-keeper.ts";
import { createTrashKeeper } from "./jobs/trash-keeper.ts";
import { startValidationClock } from "./jobs/validation-clock.ts";
import type { Logger } from "./logger.ts";
import { startPeers } from "./mesh/start-peers.ts";
import { openBooks } from "./open-books.ts";
import { prepareScratchDirectory, prepareStateDirectory } from "./state-directory.ts";
import { type ForgetfulStore, startStoreKeeper } from "./store-keeper.ts";

/** What the daemon needs of the world; tests bring their own. */
export type World = {
	readonly hypervisor: Hypervisor;
	readonly images: DiskImages;
	readonly clock: Clock;
	readonly ids: IdSource;
	readonly machine: ValidationMachine;
	readonly thawWatchdog: (vm: string, maximumMs: number) => Promise<ThawWatchdog>;
	readonly startAppliance: StartAppliance;
	readonly openStore: (
		config: Config,
		identity: Identity,
		onFatal: (error: unknown) => void,
	) => Promise<Store & ForgetfulStore & { readonly replica?: Replica }>;
	readonly repositories: (identity: Identity) => Promise<RepositoryDriver>;
};

/** A running daemon. */
export type Daemon = {
	readonly identity: Identity;
	/** Resolves with the reason when the daemon cannot go on, such as a store that took a write for lost. */
	readonly failed: Promise<unknown>;
	stop(): Promise<void>;
};

type Options = {
	readonly config: Config;
	readonly world: World;
	readonly logger: Logger;
	readonly version: string;
	/** Told after each durable line of a journal; see crashAfterLines in main.ts. */
	readonly onJournalLine?: (count: number) => void;
};

/** Acts to be undone in reverse, each once; a failure of one does not keep the others from being done. */
const createUndo = (logger: Logger) => {
	const acts: (() => Promise<void>)[] = [];
	return {
		add: (act: () => Promise<void>) => acts.push(act),
		run: async (): Promise<void> => {
			for (let act = acts.pop(); act !== undefined; act = acts.pop()) {
				await act().catch((err: unknown) => logger.error({ err }, "stop was incomplete"));
			}
		},
	};
};
type Undo = ReturnType<typeof createUndo>;

const infoOf = ({ config, version }: Options, identity: Identity, startedAt: string) => ({
	host: { id: identity.id, name: identity.name },
	version,
	pid: process.pid,
	startedAt,
	stateDir: config.stateDir,
	socket: config.socket,
});

type JobParts = {
	readonly identity: Identity;
	readonly store: Store;
	readonly books: ReturnType<typeof openBooks>;
	readonly gone: GoneFiles;
	readonly scratch: string;
};

type Work = { readonly jobs: RunningJobService; readonly files: BackupFiles };

const startJobs = async (
	options: Options,
	parts: JobParts,
	onProblem: (error: unknown) => void,
): Promise<Work> => {
	const { config, world, version } = options;
	const { hypervisor, images, clock, ids, thawWatchdog, startAppliance } = world;
	const { scratch } = parts;
	const { catalog } = parts.books;
	const host = { id: parts.identity.id, name: parts.identity.name };
	const files = createBackupFiles({ catalog, ids, host, scratch, startAppliance }, onProblem);
	files.sweep().catch(onProblem);
	const jobs = await createJobService({
		deps: {
			hypervisor,
			images,
			clock,
			ids,
			thawWatchdog,
			startAppliance,
			releaseFiles: files.release,
			retired: parts.gone.add,
			catalog,
			host,
			version,
			scratch,
			machine: world.machine,
		},
		store: parts.store,
		backups: () => parts.books.backups.own({ all: false }),
		stateDir: config.stateDir,
		onProblem,
		...(options.onJournalLine === undefined ? {} : { onJournalLine: options.onJournalLine }),
	});
	return { jobs, files };
};

const startParts = async (options: Options, undo: Undo, fail: (error: unknown) => void) => {
	const { config, world, logger } = options;
	await prepareStateDirectory(config.stateDir);
	const identity = await loadIdentity(config.stateDir, config.name);
	const store = await world.openStore(config, identity, fail);
	undo.add(() => store.close());
	const driver = await world.repositories(identity);
	const onProblem = (err: unknown): void => logger.error({ err }, "a problem was found");
	const { clock } = world;
	const directory = `${config.stateDir}/audit`;
	const audit = await openAuditLog({ directory, now: () => clock.now(), onProblem });
	undo.add(() => audit.flush());
	const onAlert = ({ vm, text }: Parameters<AlertListener>[0]): void =>
		audit.append({ kind: "alert", who: identity.name, vm, text });
	const books = openBooks({ config, identity, store, driver, onAlert });
	// Peers that have not seen a removal would bring the document back: where there may be some, the mesh forgets what all have seen.
	const acknowledged = async (): Promise<boolean> => store.replica === undefined;
	const keeper = startStoreKeeper({ store, clock, acknowledged, onProblem });
	undo.add(() => keeper.stop());
	const { hypervisor, images } = world;
	const scratch = await books.settings.value("host.scratch.directory", {});
	await prepareScratchDirectory(scratch);
	const gone = createGoneFiles({ scratch, hypervisor, images, onProblem });
	undo.add(async () => gone.stop());
	const work = await startJobs(options, { identity, store, books, gone, scratch }, onProblem);
	const { jobs, files } = work;
	undo.add(() => files.close());
	undo.add(() => jobs.stop());
	const unheard = new AbortController();
	void recordJobs(audit, jobs, unheard.signal).catch(onProblem);
	undo.add(async () => unheard.abort());
	const byTime = {
		catalog: books.catalog,
		clock: world.clock,
		stateDir: config.stateDir,
		newestBackupAt: async () => (await books.backups.own({ all: true })).at(-1)?.createdAt ?? null,
		onProblem,
	};
	const trash = createTrashKeeper({
		...byTime,
		alert: (text) => books.alerts.setHost(CLOCK_ALERT, text),
	});
	trash.start();
	undo.add(() => trash.stop());
	const kept = createKeptKeeper({ ...byTime, hypervisor, jobs });
	const merges = createMergeKeeper({ clock: world.clock, noted: books.vms.noted, jobs, onProblem });
	merges.start();
	undo.add(() => merges.stop());
	const watch = createOverlayWatch({
		...{ hypervisor, clock, onProblem, index: openOverlayIndex(config.stateDir) },
		alert: (vm, text) => books.alerts.setVm("runs below its overlay", vm, text),
	});
	watch.start();
	undo.add(() => watch.stop());
	const now = (): string => clock.now();
	const retention = createRetentionKeeper({
		...{ books, jobs, now, clock, onProblem },
		host: identity,
	});
	retention.start();
	undo.add(() => retention.stop());
	const schedules = createScheduleKeeper({
		...{ hypervisor, jobs, clock, onProblem, schedules: books.schedules, host: identity },
		stateDir: config.stateDir,
		alert: (vm, text) => books.alerts.setVm("scheduled backup refused", vm, text),
	});
	let ready = false;
	jobs.recovered
		.then(() => {
			ready = true;
			logger.info("interrupted work was taken up");
		})
		.catch((err: unknown) => logger.error({ err }, "interrupted work was not taken up"));
	jobs.ready
		.then(() => {
			const date = (): Date => new Date(world.clock.now());
			const validations = startValidationClock({ books, jobs, host: identity, date, onProblem });
			undo.add(async () => validations.stop());
			schedules.start();
			undo.add(() => schedules.stop());
			kept.start();
			undo.add(() => kept.stop());
			const quick = startQuickKeeper({ hypervisor, jobs, onProblem });
			undo.add(async () => quick.stop());
			return gone.findAll();
		})
		.catch((err: unknown) => logger.warn({ err }, "retired files could not be looked for"));
	const benchmark = createBenchmark({
		...{ books, jobs, images, clock, ids: world.ids, host: identity, onProblem },
		stateDir: config.stateDir,
		openLog: openStoreLog,
	});
	benchmark.clean().catch(onProblem);
	undo.add(() => benchmark.stop());
	const info = infoOf(options, identity, world.clock.now());
	const place = {
		host: info.host,
		config: config.file,
		stateDir: config.stateDir,
		socket: config.socket,
	};
	const local: ApiDeps = {
		books,
		jobs,
		care: jobs.care,
		files,
		benchmark,
		hypervisor,
		images,
		inventory: createInventory({ books, hypervisor, images, host: info.host, now }),
		host: info.host,
		daemon: () => ({ ...info, ready }),
		now,
		ready: jobs.ready,
		audit,
		init: (input) => initCatalog(books, place, input),
	};
	const { replica } = store;
	const peers =
		replica === undefined
			? undefined
			: await startPeers({
					...{ config, identity, store, replica, jobs, onProblem },
					alertKey: (text) => books.alerts.setHost(KEY_ALERT, text),
					now,
					uuid: () => world.ids.uuid(),
					viewHost: () => viewHost(local),
					listVms: () => local.inventory.live(),
				});
	undo.add(async () => peers?.stop());
	const deps: ApiDeps = peers === undefined ? local : { ...local, peers };
	const api: ApiServer = await startApi({
		socket: config.socket,
		limits: config.limits,
		deps,
		logger,
	});
	undo.add(() => api.close());
	return identity;
};

/** Starts the daemon; resolves when its socket answers. Rejects with STORE_LOCKED when another one uses the state directory, EXISTS when one answers on the socket. */
export const startDaemon = async (options: Options): Promise<Daemon> => {
	const undo = createUndo(options.logger);
	let fail: (error: unknown) => void = () => undefined;
	const failed = new Promise<unknown>((resolve) => {
		fail = resolve;
	});
	try {
		const identity = await startParts(options, undo, fail);
		return { identity, failed, stop: undo.run };
	} catch (error) {
		await undo.run();
		throw error;
	}
};
