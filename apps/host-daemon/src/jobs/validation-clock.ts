// Validations that nobody asks for: those whose proof has grown old, and the drills of the night. Looks at the view first and reads
// a manifest only of a backup that may be due.
import {
	type BackupView,
	dueValidations,
	followUpPolicySchema,
	isTerminal,
	type JobRequestInput,
	jobRequestSchema,
	KnibError,
	pickDrills,
	type RepeatCandidate,
	settingMilliseconds,
} from "@knib/core";
import type { Books } from "../catalog/create-catalog.ts";
import type { JobService } from "./job-service.ts";

/** How often it looks, ms. */
const LOOK_MS = 10 * 60_000;
/** Hours of the local day in which drills are started: the night. */
const NIGHT = { from: 1, to: 5 };

type Deps = {
	readonly books: Pick<Books, "backups" | "catalog" | "settings">;
	readonly jobs: Pick<JobService, "list" | "start">;
	readonly host: { readonly name: string };
	/** Now as the local date; tests give their own. */
	readonly date: () => Date;
	readonly onProblem: (error: unknown) => void;
};

/** Whether the offering that a backup was taken under asks for validation. */
const isToBeValidated = async (deps: Deps, view: BackupView): Promise<boolean> => {
	if (view.repository === null) return false;
	const repository = await deps.books.catalog.open(view.repository);
	const backup = await repository.find(view.id);
	const policy = followUpPolicySchema.safeParse(backup?.manifest.offering ?? {});
	return policy.success && policy.data.validate;
};

const ownBackups = async ({ books, host }: Deps): Promise<readonly BackupView[]> =>
	(await books.backups.own({ all: false })).filter(
		(view) => view.status === "BackedUp" && view.host === host.name,
	);

/** Backups that a validation waits or runs for. */
const busyBackups = async ({ jobs }: Deps): Promise<ReadonlySet<string>> => {
	const all = await jobs.list({ type: "BackupValidation" });
	return new Set(all.flatMap((job) => (isTerminal(job.state) ? [] : [job.backup ?? ""])));
};

const candidateOf = async (
	{ books }: Deps,
	view: BackupView,
	busy: ReadonlySet<string>,
): Promise<RepeatCandidate> => {
	const scope = { vm: view.vm.uuid };
	const name = "backup.validation.interval";
	return {
		backup: view.id,
		vm: view.vm.uuid,
		chain: view.chain ?? view.id,
		sequence: view.sequence ?? 0,
		proofs: view.proof,
		intervalMs: settingMilliseconds(name, await books.catalog.setting(name, scope)),
		repeat:
			(await books.catalog.setting("backup.validation.repeat", scope)) === "boot"
				? "boot"
				: "digest",
		busy: busy.has(view.id) || view.validationStatus === "NotValid",
	};
};

/** Starts what is due; returns the backups. */
const startDue = async (deps: Deps): Promise<readonly string[]> => {
	const views = await ownBackups(deps);
	const busy = await busyBackups(deps);
	const candidates: RepeatCandidate[] = [];
	for (const view of views) candidates.push(await candidateOf(deps, view, busy));
	const started: string[] = [];
	for (const due of dueValidations(candidates, deps.date().getTime(), Date.parse)) {
		const view = views.find((one) => one.id === due.backup);
		if (view === undefined || !(await isToBeValidated(deps, view))) continue;
		await start(deps, { type: "BackupValidation", backup: due.backup, mode: due.mode }, due.reason);
		started.push(due.backup);
	}
	return started;
};

const start = async (deps: Deps, request: JobRequestInput, reason: string): Promise<void> => {
	await deps.jobs.start(jobRequestSchema.parse(request), `knibd: ${reason}`);
};

const newestBoot = (views: readonly BackupView[]): string | null =>
	views
		.flatMap((view) => view.proof.filter(({ level }) => level === "booted" || level === "answered"))
		.map(({ at }) => at)
		.sort()
		.at(-1) ?? null;

/** Starts the drills of a night; returns their backups. */
const startDrills = async (deps: Deps): Promise<readonly string[]> => {
	const { catalog } = deps.books;
	const budget = await catalog.setting("backup.validation.drills.per.night", {});
	if (budget === 0) return [];
	const views = await ownBackups(deps);
	const busy = await busyBackups(deps);
	const vms = [...new Set(views.map((view) => view.vm.uuid))];
	const candidates = await Promise.all(
		vms.map(async (vm) => {
			const own = views.filter((view) => view.vm.uuid === vm);
			return {
				vm,
				backup: own.at(-1)?.id ?? null,
				provenAt: newestBoot(own),
				maxAgeDays: await catalog.setting("backup.validation.max.age", { vm }),
				busy: own.some((view) => busy.has(view.id)),
			};
		}),
	);
	const drills = pickDrills(candidates, budget, deps.date().getTime(), Date.parse);
	for (const { backup, reason } of drills) {
		await start(deps, { type: "BackupValidation", backup }, `drill: ${reason}`);
	}
	return drills.map((drill) => drill.backup);
};

/** One look at what is due. `drilled` is the day whose drills were started already; the day that counts after it is returned. */
export const lookForValidations = async (
	deps: Deps,
	drilled: string | null,
): Promise<{ readonly started: readonly string[]; readonly drilled: string | null }> => {
	const due = await startDue(deps);
	const now = deps.date();
	const day = now.toDateString();
	const isNight = now.getHours() >= NIGHT.from && now.getHours() < NIGHT.to;
	if (!isNight || day === drilled) return { started: due, drilled };
	return { started: [...due, ...(await startDrills(deps))], drilled: day };
};

/** Looks again and again until stopped. A look that fails is reported, and the next one tries again. */
export const startValidationClock = (deps: Deps): { readonly stop: () => void } => {
	let drilled: string | null = null;
	let looking = false;
	const look = async (): Promise<void> => {
		if (looking) return;
		looking = true;
		try {
			({ drilled } = await lookForValidations(deps, drilled));
		} catch (thrown) {
			deps.onProblem(thrown instanceof Error ? thrown : new KnibError("INTERNAL", String(thrown)));
		} finally {
			looking = false;
		}
	};
	const timer = setInterval(() => void look(), LOOK_MS);
	timer.unref();
	void look();
	return { stop: () => clearInterval(timer) };
};
