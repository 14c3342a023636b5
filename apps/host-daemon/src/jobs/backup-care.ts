// What is done with backups at once rather than by a job: bringing a deleted one back, pinning, and saying what cannot be done with
// them now and why (I8).
import {
	admit,
	asKnibError,
	type BackupView,
	type BlockedAction,
	blockedActions,
	blockedOfChain,
	type Chain,
	type ChainView,
	chainEndReason,
	isRefusal,
	KnibError,
	matchIds,
	type Outcome,
	planUndelete,
	type Refusal,
	type Repository,
	type TrashEntry,
	type TrashedBackup,
	type UndeletePlan,
} from "@knib/core";
import { findSubject, gatherAdmission } from "../facts/gather-service.ts";
import type { JobDeps } from "./context.ts";
import { refreshChain } from "./executors/validation-record.ts";
import type { Lanes } from "./lanes.ts";

/** Acts on backups, each with a dry run. Ids may be parts. Rejects with NOT_FOUND, AMBIGUOUS_ID, REFUSED, BACKUP_BUSY, REPOSITORY_*. */
export interface BackupCare {
	undelete(text: string, dryRun: boolean): Promise<Outcome<BackupView>>;
	/** A pinned backup is never removed; pinning it again changes nothing. */
	pin(text: string, user: string, dryRun: boolean): Promise<Outcome<BackupView>>;
	unpin(text: string, dryRun: boolean): Promise<Outcome<BackupView>>;
	/** What cannot be done with a backup now. A repository that does not answer blocks everything, and says so. */
	blocked(view: BackupView): Promise<readonly BlockedAction[]>;
	blockedOf(view: ChainView): Promise<readonly BlockedAction[]>;
}

type Deps = { readonly deps: JobDeps; readonly lanes: Lanes };

const NEVER = new AbortController().signal;

const refusing = (refusal: Refusal): KnibError =>
	new KnibError(refusal.code, refusal.message, { details: refusal.details });

const wouldDo = (explain: readonly string[], type: string): Outcome<BackupView> => {
	const [reason = "nothing to do", ...rest] = explain;
	return { done: false, plan: { type, reason, explain: rest, warnings: [], steps: [] } };
};

const viewOf = async (deps: JobDeps, id: string): Promise<BackupView> => {
	const view = await deps.catalog.backup(id);
	if (view !== undefined) return view;
	throw new KnibError("NOT_FOUND", `backup ${id} is not in the view; rescan its repository`);
};

/** A deleted backup, by its id or a part of it. */
type Deleted = {
	readonly repository: Repository;
	readonly known: { readonly id: string; readonly name: string };
	readonly chain: Chain | null;
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly backup: string;
	readonly entries: readonly TrashEntry[];
};

const findInTrash = async (deps: JobDeps, text: string): Promise<Deleted> => {
	const found: Deleted[] = [];
	for (const known of await deps.catalog.repositories()) {
		const repository = await deps.catalog.open(known.id);
		const entries = (await repository.trash()).filter((entry) => entry.kind === "backup");
		for (const { backup, manifest } of matchIds(entries, text, (entry) => entry.backup)) {
			if (manifest === null) continue;
			const { vm, chain } = manifest.identity;
			const chains = await repository.chains(vm);
			found.push({
				repository,
				known,
				chain: chains.find((one) => one.id === chain) ?? null,
				vm: manifest.vm,
				backup,
				entries: entries.filter((entry) => entry.manifest?.identity.chain === chain),
			});
		}
	}
	const [first] = found;
	if (first === undefined)
		throw new KnibError("NOT_FOUND", `there is no backup ${text}, not even in the trash`);
	if (found.length === 1) return first;
	const candidates = found.map((one) => `${one.backup} ${one.vm.name}`);
	throw new KnibError("AMBIGUOUS_ID", `${text} matches ${found.length} deleted backups`, {
		details: { candidates },
	});
};

const findDeleted = async (deps: JobDeps, text: string): Promise<Deleted> => {
	const view = await deps.catalog.findBackup(text).catch((thrown: unknown) => {
		if (asKnibError(thrown).code === "NOT_FOUND") return undefined;
		throw thrown;
	});
	const found = view === undefined ? null : await findSubject(deps, view);
	if (view === undefined || found === null) return await findInTrash(deps, text);
	const { repository, subject } = found;
	return {
		repository,
		known: subject.repository,
		chain: subject.chain,
		vm: subject.backup.manifest.vm,
		backup: view.id,
		entries: [],
	};
};

const trashedOf = (entries: readonly TrashEntry[]): readonly TrashedBackup[] =>
	entries.flatMap(({ name, backup, manifest, sweep }) =>
		manifest === null
			? []
			: [
					{
						entry: name,
						id: backup,
						chain: manifest.identity.chain,
						sequence: manifest.identity.sequence,
						parent: manifest.parent,
						sweep,
					},
				],
	);

const planFor = async (deps: JobDeps, deleted: Deleted): Promise<UndeletePlan> => {
	const { backup, chain, repository, entries, vm } = deleted;
	const nobody = { vm: vm.uuid, members: [], ended: true, activities: [], holds: [] };
	const plan = planUndelete({
		backup,
		chain,
		admission: chain === null ? nobody : await gatherAdmission(deps, repository, chain, undefined),
		trash: trashedOf(entries),
	});
	if (isRefusal(plan)) throw refusing(plan);
	return plan;
};

/** Under the lease: what was swept comes back, the oldest first, then the mark goes. */
const bringBack = async (deps: JobDeps, text: string): Promise<BackupView> => {
	const deleted = await findDeleted(deps, text);
	const plan = await planFor(deps, deleted);
	const { repository, vm, backup, known } = deleted;
	const lease = await repository.lease(vm.uuid, deps.host.id);
	try {
		for (const { entry } of plan.entries) {
			const trashed = deleted.entries.find((one) => one.name === entry);
			if (trashed !== undefined) await repository.undelete(trashed);
		}
		const found = await repository.find(backup);
		if (found === undefined) throw new KnibError("NOT_FOUND", `backup ${backup} did not come back`);
		await repository.writeMarks(found, { removed: null });
		const chain = found.manifest.identity.chain;
		await refreshChain(deps, { vm, chain, repository: known });
	} finally {
		await lease.release();
	}
	return await viewOf(deps, backup);
};

const setPin = async (
	deps: JobDeps,
	text: string,
	pinned: { readonly at: string; readonly by: string } | null,
	dryRun: boolean,
): Promise<Outcome<BackupView>> => {
	const view = await deps.catalog.findBackup(text);
	const found = await findSubject(deps, view);
	if (found === null) {
		throw new KnibError("NOT_FOUND", `no repository of this host holds backup ${view.id}`);
	}
	const { repository, subject } = found;
	const facts = await gatherAdmission(deps, repository, subject.chain, undefined);
	const [first] = pinned === null ? [] : admit("pin", view.id, facts);
	if (first !== undefined) {
		throw new KnibError(first.code, `backup ${view.id} is not pinned: ${first.reason}`);
	}
	const words = pinned === null ? "may be removed again" : "is never removed while it is pinned";
	if (dryRun) return wouldDo([`backup ${view.id} ${words}`], pinned === null ? "Unpin" : "Pin");
	const isPinned = subject.backup.marks.pinned !== null;
	if (isPinned !== (pinned !== null)) await repository.writeMarks(subject.backup, { pinned });
	const { vm } = subject.backup.manifest;
	await refreshChain(deps, { vm, chain: subject.chain.id, repository: subject.repository });
	return { done: true, result: await viewOf(deps, view.id) };
};

const unreadable = (thrown: unknown): readonly BlockedAction[] => [
	{ action: "all", reason: `its repository cannot be read: ${asKnibError(thrown).message}` },
];

export const createBackupCare = ({ deps, lanes }: Deps): BackupCare => ({
	undelete: async (text, dryRun) => {
		const deleted = await findDeleted(deps, text);
		const plan = await planFor(deps, deleted);
		if (dryRun) return wouldDo(plan.explain, "Undelete");
		const holder = { job: deleted.backup, what: `the return of backup ${deleted.backup}` };
		const options = { signal: NEVER, onWait: () => undefined };
		const result = await lanes.run(deleted.vm.uuid, holder, options, () =>
			bringBack(deps, deleted.backup),
		);
		return { done: true, result };
	},
	pin: (text, user, dryRun) =>
		setPin(deps, text, { at: deps.clock.now(), by: `${user} on ${deps.host.name}` }, dryRun),
	unpin: (text, dryRun) => setPin(deps, text, null, dryRun),
	blocked: async (view) => {
		try {
			const found = await findSubject(deps, view);
			if (found === null) return [];
			const { repository, subject } = found;
			const facts = await gatherAdmission(deps, repository, subject.chain, undefined);
			return blockedActions(view.id, facts);
		} catch (thrown) {
			return unreadable(thrown);
		}
	},
	blockedOf: async (view) => {
		try {
			const [id] = view.backups;
			if (id === undefined) return [];
			const { vm, repository: name } = view;
			const found = await findSubject(deps, { id, vm, chain: view.id, repository: name });
			if (found === null) return [];
			const { repository, subject } = found;
			const facts = await gatherAdmission(deps, repository, subject.chain, undefined);
			return blockedOfChain(facts, chainEndReason(subject.chain));
		} catch (thrown) {
			return unreadable(thrown);
		}
	},
});
