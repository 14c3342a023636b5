// Retention: what the offerings of this host's VMs let go is deleted, by the same jobs as any other deletion, the newest first, so that no
// backup is deleted while one stands on it.
import {
	asKnibError,
	type BackupView,
	bestProof,
	type Clock,
	KnibError,
	offeringFilterSchema,
	planRetention,
	type RetentionApplied,
	type RetentionPoint,
	type RetentionView,
	retentionScheduleOf,
	type Schedule,
} from "@knib/core";
import { CLOCK_ALERT } from "../catalog/alert-book.ts";
import type { Books } from "../catalog/create-catalog.ts";
import type { JobService } from "./job-service.ts";
import { createKeeper, type Keeper } from "./keeper.ts";

/** How often retention is applied by itself, ms. */
const LOOK_MS = 60 * 60_000;

type Deps = {
	readonly books: Pick<Books, "backups" | "offerings" | "schedules" | "alerts">;
	readonly jobs: Pick<JobService, "start" | "list">;
	readonly now: () => string;
	readonly host: { readonly name: string };
};

/** What a backup's proofs are worth now: nothing once a later check has found it broken. */
const proofOf = ({ proof, validationStatus }: BackupView): RetentionPoint["proof"] =>
	validationStatus === "NotValid" ? null : (bestProof(proof)?.level ?? null);

type Judgement = Pick<RetentionPoint, "judge" | "policy" | "why"> & {
	readonly schedule: string | null;
};

/** By whose rules a backup is judged: those that its offering has now, also when that was deleted since (SPEC 1), or those of the schedule that took it while it had some. Nobody else's rules take the place of a schedule's. */
type Judge = (view: BackupView) => Judgement;

const bySchedule = (id: string, schedules: readonly Schedule[]): Judgement => {
	const judge = `schedule:${id}`;
	const schedule = schedules.find((one) => one.id === id);
	if (schedule === undefined) {
		const why = "its schedule is not known here any more";
		return { judge, policy: null, why, schedule: id };
	}
	const { name, retention = null } = schedule;
	return { judge, policy: retention, why: `schedule ${name} keeps everything`, schedule: name };
};

const judgeOf = async ({ books, host }: Deps): Promise<Judge> => {
	const offerings = await books.offerings.list(offeringFilterSchema.parse({ showRemoved: true }));
	const schedules = await books.schedules.all();
	const named = (name: string) => {
		const same = offerings.filter((one) => one.name === name);
		return same.find(({ removedAt }) => removedAt === undefined) ?? same.at(-1);
	};
	return (view) => {
		// A rescan of a shared repository makes views of other hosts' backups too: those are theirs to judge.
		const nobody = { judge: "nobody", policy: null, schedule: null };
		if (view.host !== host.name) return { ...nobody, why: `host ${view.host} judges it` };
		const schedule = retentionScheduleOf(view.labels);
		if (schedule !== undefined) return bySchedule(schedule, schedules);
		const offering = view.offering === null ? undefined : named(view.offering);
		if (offering === undefined) return { ...nobody, why: "its offering is not known here" };
		const why = `offering ${offering.name} keeps everything`;
		const { id, retention = null } = offering;
		return { judge: `offering:${id}`, policy: retention, why, schedule: null };
	};
};

const pointOf = (view: BackupView, open: ReadonlySet<string>, judge: Judge): RetentionPoint => {
	const { judge: whose, policy, why } = judge(view);
	return {
		id: view.id,
		parent: view.parent,
		pointInTime: view.pointInTime ?? view.createdAt,
		atMs: Date.parse(view.pointInTime ?? view.createdAt),
		removed: view.status === "Removed",
		pinned: view.pinned === true,
		proof: proofOf(view),
		goesOn: open.has(view.id),
		judge: whose,
		policy,
		why,
	};
};

const byVm = (backups: readonly BackupView[]): ReadonlyMap<string, readonly BackupView[]> => {
	const groups = new Map<string, BackupView[]>();
	for (const view of backups) {
		const group = groups.get(view.vm.uuid) ?? [];
		groups.set(view.vm.uuid, [...group, view]);
	}
	return groups;
};

/** Ids of the newest backups of open chains. */
const openEnds = async ({ books }: Deps): Promise<ReadonlySet<string>> => {
	const chains = await books.backups.chains(undefined);
	const ends = chains.flatMap(({ state, backups }) =>
		state === "open" ? (backups.at(-1) ?? []) : [],
	);
	return new Set(ends);
};

/** What retention makes of the restore points that this host keeps, of one VM or of all. Reads only. */
export const previewRetention = async (
	deps: Deps,
	vm: string | undefined,
): Promise<readonly RetentionView[]> => {
	const { books, now, host } = deps;
	const there = (await books.backups.own({ all: true })).filter(({ status }) =>
		["BackedUp", "Restoring", "Removed"].includes(status),
	);
	const open = await openEnds(deps);
	const judge = await judgeOf(deps);
	const views: RetentionView[] = [];
	for (const [uuid, backups] of byVm(there)) {
		if (vm !== undefined && vm !== uuid) continue;
		const points = backups.map((view) => pointOf(view, open, judge));
		const verdicts = new Map(
			planRetention(points, Date.parse(now())).map((verdict) => [verdict.id, verdict]),
		);
		const judged = backups.toReversed().flatMap((view) => {
			const verdict = verdicts.get(view.id);
			if (verdict === undefined || view.host !== host.name) return [];
			const { chain, kind, size, offering } = view;
			const pointInTime = view.pointInTime ?? view.createdAt;
			const { policy, schedule } = judge(view);
			return [{ ...verdict, chain, kind, size, offering, schedule, policy, pointInTime }];
		});
		const [newest] = judged;
		const named = backups.find(({ id }) => id === newest?.id);
		if (named !== undefined) views.push({ vm: named.vm, backups: judged });
	}
	return views.sort((a, b) => (a.vm.name < b.vm.name ? -1 : 1));
};

/** Nothing goes on account of time while the clock is not believable (SAFETY F16). Rejects with REFUSED. */
const assertClock = async ({ books }: Deps): Promise<void> => {
	const doubt = (await books.alerts.all()).find(({ kind }) => kind === CLOCK_ALERT);
	if (doubt === undefined) return;
	throw new KnibError("REFUSED", `no backup is removed: ${doubt.text}`, {
		details: { hint: "set the clock right; knibd looks at it again every minute" },
	});
};

/** Asks for the deletion of everything that no rule keeps. Rejects with REFUSED while the clock is not believable. What cannot be deleted now is listed with the reason, and so stays what it stands on. */
export const applyRetention = async (
	deps: Deps,
	vm: string | undefined,
	user: string,
): Promise<RetentionApplied> => {
	await assertClock(deps);
	const vms = await previewRetention(deps, vm);
	const jobs: { backup: string; job: string }[] = [];
	const refused: { backup: string; reason: string }[] = [];
	for (const { backups } of vms) {
		for (const { id } of backups.filter(({ keep }) => !keep)) {
			const going = (await deps.jobs.list({ type: "DeleteBackup", backup: id })).find(
				({ endedAt }) => endedAt === null,
			);
			if (going !== undefined) {
				jobs.push({ backup: id, job: going.id });
				continue;
			}
			const request = { type: "DeleteBackup", backup: id, consolidate: false } as const;
			await deps.jobs.start(request, user).then(
				(job) => jobs.push({ backup: id, job: job.id }),
				(thrown: unknown) => refused.push({ backup: id, reason: asKnibError(thrown).message }),
			);
		}
	}
	return { vms, jobs, refused };
};

/** Applies retention every hour. */
export const createRetentionKeeper = (
	deps: Deps & {
		readonly clock: Pick<Clock, "sleep">;
		readonly onProblem: (error: unknown) => void;
	},
): Keeper => {
	const { clock, onProblem } = deps;
	const look = async (): Promise<void> => {
		const { refused } = await applyRetention(deps, undefined, "knibd: retention");
		for (const { backup, reason } of refused) onProblem(new Error(`${backup} stays: ${reason}`));
	};
	return createKeeper({ clock, look, waitMs: async () => LOOK_MS, later: true, onProblem });
};
