// Retention: what the offerings of this host's VMs let go is deleted, by the same jobs as any other deletion, the newest first, so that no
// backup is deleted while one stands on it.
import {
	asKnibError,
	type BackupView,
	bestProof,
	type Clock,
	KnibError,
	planRetention,
	type RetentionApplied,
	type RetentionPoint,
	type RetentionView,
} from "@knib/core";
import { CLOCK_ALERT } from "../catalog/alert-book.ts";
import type { Books } from "../catalog/create-catalog.ts";
import type { JobService } from "./job-service.ts";
import { createKeeper, type Keeper } from "./keeper.ts";

/** How often retention is applied by itself, ms. */
const LOOK_MS = 60 * 60_000;

type Deps = {
	readonly books: Pick<Books, "backups" | "vms" | "alerts">;
	readonly jobs: Pick<JobService, "start" | "list">;
	readonly now: () => string;
	readonly host: { readonly name: string };
};

/** What a backup's proofs are worth now: nothing once a later check has found it broken. */
const proofOf = ({ proof, validationStatus }: BackupView): RetentionPoint["proof"] =>
	validationStatus === "NotValid" ? null : (bestProof(proof)?.level ?? null);

const pointOf = (view: BackupView, open: ReadonlySet<string>): RetentionPoint => ({
	id: view.id,
	parent: view.parent,
	pointInTime: view.pointInTime ?? view.createdAt,
	atMs: Date.parse(view.pointInTime ?? view.createdAt),
	removed: view.status === "Removed",
	pinned: view.pinned === true,
	proof: proofOf(view),
	goesOn: open.has(view.id),
});

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
	// A rescan of a shared repository makes views of other hosts' backups too: those are theirs to judge, by what they know of the VM.
	const there = (await books.backups.own({ all: true })).filter(
		(view) => view.host === host.name && ["BackedUp", "Restoring", "Removed"].includes(view.status),
	);
	const open = await openEnds(deps);
	const views: RetentionView[] = [];
	for (const [uuid, backups] of byVm(there)) {
		const newest = backups.at(-1);
		if (newest === undefined || (vm !== undefined && vm !== uuid)) continue;
		const { name, retention } = await books.vms.offeringOf(uuid);
		const everything = `offering ${name} keeps everything`;
		const verdicts =
			retention === undefined
				? backups
						.filter(({ status }) => status !== "Removed")
						.toReversed()
						.map(({ id }) => ({ id, keep: true, reasons: [everything] }))
				: planRetention(
						backups.map((view) => pointOf(view, open)),
						retention,
						Date.parse(now()),
					);
		const shown = new Map(backups.map((view) => [view.id, view]));
		views.push({
			vm: newest.vm,
			offering: name,
			policy: retention ?? null,
			backups: verdicts.flatMap((verdict) => {
				const view = shown.get(verdict.id);
				if (view === undefined) return [];
				const { chain, kind, size } = view;
				return [{ ...verdict, chain, kind, size, pointInTime: view.pointInTime ?? view.createdAt }];
			}),
		});
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
