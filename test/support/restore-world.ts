// A restore on real files: a repository, a directory for disks, qemu-img, and a libvirt in memory. The plan is made and carried out
// as the daemon does it.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
	backupView,
	isRefusal,
	KnibError,
	type Plan,
	planRestoreNew,
	type RestorePlan,
	type RunState,
	restoreNewRequestSchema,
	type Step,
} from "@knib/core";
import { gatherRestore } from "../../apps/host-daemon/src/facts/gather-restore.ts";
import { createDiskImages } from "../../apps/host-daemon/src/hypervisor/qemu-img.ts";
import { runCommand } from "../../apps/host-daemon/src/hypervisor/run-command.ts";
import type { Executor, JobDeps, StepContext } from "../../apps/host-daemon/src/jobs/context.ts";
import { pullLayers } from "../../apps/host-daemon/src/jobs/executors/pull-layers.ts";
import { makeQuickDisks } from "../../apps/host-daemon/src/jobs/executors/quick-disks.ts";
import * as restore from "../../apps/host-daemon/src/jobs/executors/restore-new.ts";
import {
	type RunEnd,
	type RunHooks,
	runBack,
	runForward,
} from "../../apps/host-daemon/src/jobs/run-job.ts";
import { openRepository } from "../../apps/host-daemon/src/repository/open-repository.ts";
import { begun, JOB } from "./begun-restore.ts";
import { MANIFEST_VM } from "./builders/manifest.ts";
import { memoryLibvirt } from "./memory-libvirt.ts";
import { countingIds, movingClock } from "./moving-clock.ts";
import { restoreRepository } from "./restore-repository.ts";

const EXECUTORS = {
	hold: restore.hold,
	"verify-layers": restore.verifyLayers,
	"copy-disks": restore.copyDisks,
	"check-disks": restore.checkDisks,
	"define-vm": restore.defineVm,
	"start-vm": restore.startVm,
	"make-quick-disks": makeQuickDisks,
	"pull-layers": pullLayers,
};

const executorOf = (step: Step): Executor<Step["kind"]> => {
	const found = Object.entries(EXECUTORS).find(([kind]) => kind === step.kind)?.[1];
	if (found === undefined) throw new Error(`no executor of ${step.kind}`);
	return found as Executor<Step["kind"]>;
};

/** What a test may do while a plan is carried out. */
export type Interference = {
	/** Runs right before a step. */
	readonly before?: (step: Step["kind"]) => void | Promise<void>;
	/** The job goes back when this step has been done. */
	readonly failAfter?: Step["kind"];
};

const images = createDiskImages({ run: runCommand });

/** The repository that every world begins with a copy of, made once by whoever asks first. */
const template = (() => {
	let made: Promise<string> | null = null;
	const make = async (): Promise<string> => {
		const path = join(mkdtempSync(join(tmpdir(), "knib-restore-")), "repository");
		const source = "/nowhere";
		await restoreRepository({ path, source, images, clock: movingClock(), ids: countingIds() });
		return path;
	};
	return (): Promise<string> => {
		made ??= make();
		return made;
	};
})();

/** Removes the template; after the last test of a file. */
export const closeWorlds = async (): Promise<void> =>
	rmSync(dirname(await template()), { recursive: true, force: true });

/** Everything below one directory that `close` removes. */
export const restoreWorld = async () => {
	const root = mkdtempSync(join(tmpdir(), "knib-restore-"));
	const storage = join(root, "vm");
	mkdirSync(storage);
	const clock = movingClock();
	const ids = countingIds();
	const path = join(root, "repository");
	execFileSync("cp", ["-a", await template(), path]);
	const repository = await openRepository({ path, hostId: "here", clock, ids });
	const [full, increment] = (await repository.chains(MANIFEST_VM))[0]?.members ?? [];
	if (full === undefined || increment === undefined) throw new Error("the copy is no repository");
	const libvirt = memoryLibvirt({ clock });
	const view = { ...backupView(increment, "main"), path: increment.path };
	const settings: Readonly<Record<string, unknown>> = {
		"backup.copy.parallel.disks": 2,
		"backup.validation.boot.default.timeout": 10,
	};
	const closed = new Set<string>();
	const isClosed = (path: string): boolean => closed.has(path);
	const deps = {
		hypervisor: libvirt.hypervisor,
		images,
		clock,
		ids,
		host: { id: "here", name: "here" },
		machine: {
			capabilities: async () => ({ qemuUser: { uid: 7, gid: 8 }, securityModels: [] }),
			unreadable: async (_user: unknown, paths: readonly string[]) => paths.filter(isClosed),
			domainCapabilities: async () => ({
				cpuModels: new Map(),
				cpuModes: [],
				videoModels: null,
			}),
		},
		scratch: join(root, "scratch"),
		catalog: {
			findBackup: async () => view,
			open: async () => repository,
			setting: async (name: string) => settings[name],
		},
	} as unknown as JobDeps;
	const warnings: string[] = [];
	const progress: (readonly [number, number])[] = [];

	const plan = async (request: Record<string, unknown> = {}): Promise<RestorePlan> => {
		const facts = await gatherRestore(
			deps,
			restoreNewRequestSchema.parse({
				type: "Restore",
				mode: "new",
				backup: view.id,
				name: "copy",
				storage,
				...request,
			}),
		);
		const made = planRestoreNew(facts);
		if (isRefusal(made)) throw new KnibError(made.code, made.message, { details: made.details });
		return { ...made, tpm: made.tpm && { ...made.tpm, to: join(root, "swtpm", made.uuid) } };
	};

	const contextFor = (state: RunState, repeated: boolean, signal: AbortSignal): StepContext => ({
		job: JOB,
		plan: state.plan,
		outcomes: state.outcomes,
		repeated,
		signal,
		repository: async () => repository,
		lease: () => Promise.reject(new Error("a restore takes no lease")),
		exclusive: (work) => work(),
		progress: (done, total) => progress.push([done, total]),
		log: () => undefined,
		deps,
	});

	const hooksFor = (interference: Interference, repeated = false): RunHooks => ({
		journal: {
			append: async () => undefined,
			close: async () => undefined,
			leave: async () => undefined,
		},
		contextFor: (state, _step, signal) => contextFor(state, repeated, signal),
		onPhase: async (step) => interference.before?.(step.kind),
		warn: (text) => warnings.push(text),
		steps: {
			run: async (step, context) => {
				const outcome = await executorOf(step).run(step, context);
				if (interference.failAfter === step.kind)
					throw new KnibError("INTERNAL", "as the test wants");
				return outcome;
			},
			undo: async (step, context) => executorOf(step).undo?.(step, context),
		},
	});

	return {
		repository,
		full,
		increment,
		...libvirt,
		root,
		storage,
		images,
		deps,
		/** What qemu's user cannot open. */
		closed,
		plan,
		warnings,
		progress,
		run: (made: Plan, interference: Interference = {}): Promise<RunEnd> =>
			runForward(begun(made), hooksFor(interference), new AbortController().signal),
		/** Takes everything back as a new life of the daemon does. */
		recover: (state: RunState): Promise<RunEnd> =>
			runBack(state, hooksFor({}, true), new KnibError("INTERRUPTED", "knibd stopped")),
		step: <K extends keyof typeof EXECUTORS>(made: RestorePlan, kind: K, repeated = false) => {
			const step = made.steps.find((one) => one.kind === kind);
			if (step === undefined) throw new Error(`no step ${kind}`);
			return executorOf(step).run(
				step,
				contextFor(begun(made), repeated, new AbortController().signal),
			);
		},
		files: (): readonly string[] => readdirSync(storage).sort(),
		holds: () =>
			repository.holds(increment.manifest.identity.vm, increment.manifest.identity.chain),
		close: () => rmSync(root, { recursive: true, force: true }),
	};
};
