import {
	type BackupFilter,
	type BackupView,
	backupView,
	type Chain,
	type ChainView,
	chainView,
	failedBackupView,
	KnibError,
	matchIds,
	type PublishedBackup,
} from "@knib/core";
import { type BackupViews, createBackupViews, withPath } from "./backup-views.ts";
import type { BackupBody, ChainBody } from "./bodies.ts";
import type { FailedBackup, KnownRepository } from "./catalog.ts";
import type { Documents } from "./documents.ts";

type Deps = {
	readonly backups: Documents<BackupBody>;
	readonly chains: Documents<ChainBody>;
	readonly repositories: () => Promise<readonly KnownRepository[]>;
	readonly host: { readonly name: string };
};

const HIDDEN: readonly string[] = ["Failed", "Removed", "Expunged"];

/** Where a backup lies below its repository's directory. */
const directoryOf = (published: PublishedBackup, repository: KnownRepository): string => {
	const root = repository.path.endsWith("/") ? repository.path : `${repository.path}/`;
	if (published.path.startsWith(root)) return published.path.slice(root.length);
	throw new KnibError(
		"INTERNAL",
		`${published.path} does not lie in repository ${repository.name}`,
	);
};

const oneOf = <T extends { readonly id: string }>(
	all: readonly T[],
	text: string,
	noun: string,
	describe: (item: T) => string,
): T => {
	const matches = matchIds(all, text, (item) => item.id);
	const [first] = matches;
	if (first === undefined) throw new KnibError("NOT_FOUND", `there is no ${noun} ${text}`);
	if (matches.length === 1) return first;
	const candidates = matches.map((item) => `${item.id} ${describe(item)}`);
	throw new KnibError("AMBIGUOUS_ID", `${text} matches ${matches.length} ${noun}s`, {
		details: { candidates },
	});
};

/** The view of chains and backups: rebuilt from manifests, plus backups that never became one. */
export const createBackupBook = ({ backups, chains, repositories, host }: Deps) => {
	/** What this host knows itself, and what only others have told. */
	const withForeign = async <T extends { readonly id: string }>(
		documents: Documents<T>,
	): Promise<readonly T[]> => {
		const own = await documents.all();
		const foreign = await documents.foreign();
		if (foreign.length === 0) return own;
		const known = new Map(own.map((body) => [body.id, body]));
		for (const body of foreign) {
			if (!known.has(body.id)) known.set(body.id, body);
		}
		return [...known.values()];
	};

	const [viewsOfAll, viewsOfOwn] = [createBackupViews(), createBackupViews()];
	const allViews = async (): Promise<BackupViews> =>
		viewsOfAll(await withForeign(backups), await repositories());
	const views = async (): Promise<readonly BackupView[]> => (await allViews()).all;
	const chainViews = async (): Promise<readonly ChainView[]> =>
		(await withForeign(chains))
			.map(({ repositoryId: _, ...view }) => view)
			.sort((a, b) => (a.id < b.id ? -1 : 1));

	const bodyOf = (published: PublishedBackup, repository: KnownRepository): BackupBody => ({
		...backupView(published, repository.name),
		repositoryId: repository.id,
		directory: directoryOf(published, repository),
	});

	/** Members that the view knew and the repository holds no more leave the view; not while the chain has problems, since then they may only be unreadable. */
	const recordChain = async (repository: KnownRepository, chain: Chain): Promise<void> => {
		const view = chainView(chain, repository.name);
		const before = (await chains.get(chain.id))?.backups ?? [];
		const ids = chain.members.map((member) => member.manifest.identity.id);
		await backups.put(...chain.members.map((member) => bodyOf(member, repository)));
		const sure = chain.problems.length === 0;
		if (sure) await backups.remove(before.filter((id) => !ids.includes(id)));
		if (view === null && sure) await chains.remove([chain.id]);
		if (view !== null) await chains.put({ ...view, repositoryId: repository.id });
	};

	return {
		recordChain,
		recordFailed: async (failed: FailedBackup): Promise<void> => {
			const published = (await backups.get(failed.id))?.status === "BackedUp";
			if (published) return;
			const view = failedBackupView(failed, host.name);
			await backups.put({ ...view, repositoryId: null, directory: null });
		},
		unableToValidate: async (id: string, message: string): Promise<void> => {
			const body = await backups.get(id);
			if (body === undefined) return;
			const warnings = [...new Set([...body.warnings, message])];
			await backups.put({ ...body, validationStatus: "UnableToValidate", warnings });
		},
		get: async (id: string): Promise<BackupView | undefined> => {
			const body =
				(await backups.get(id)) ?? (await backups.foreign()).find((one) => one.id === id);
			return body === undefined ? undefined : withPath(body, await repositories());
		},
		find: async (text: string): Promise<BackupView> =>
			oneOf(
				await views(),
				text,
				"backup",
				(view) => `${view.vm.name} ${view.createdAt} ${view.status}`,
			),
		/** The newest restore point of a VM; rejects with NOT_FOUND. */
		latest: async (vm: string): Promise<BackupView> => {
			const own = (await views()).filter(
				(view) => view.vm.uuid === vm && view.status === "BackedUp",
			);
			const newest = own.at(-1);
			if (newest !== undefined) return newest;
			throw new KnibError("NOT_FOUND", `VM ${vm} has no backup`);
		},
		/** Oldest first. `vm` is a uuid or a name. */
		list: async (filter: BackupFilter): Promise<readonly BackupView[]> => {
			const { vm, chain, all } = filter;
			const known = await views();
			if (all && vm === undefined && chain === undefined) return known;
			return known
				.filter((view) => vm === undefined || view.vm.uuid === vm || view.vm.name === vm)
				.filter(
					(view) => chain === undefined || matchIds([view], chain, (v) => v.chain ?? "").length > 0,
				)
				.filter((view) => all || !HIDDEN.includes(view.status));
		},
		/** Those that this host keeps itself, oldest first; failed and removed ones with `all`. */
		own: async ({ all }: { readonly all: boolean }): Promise<readonly BackupView[]> =>
			viewsOfOwn(await backups.all(), await repositories()).all.filter(
				(view) => all || !HIDDEN.includes(view.status),
			),
		/** Those of each VM by its uuid, failed and removed ones too, oldest first; read once for a whole list of VMs. */
		byVm: async (): Promise<BackupViews["ofVm"]> => (await allViews()).ofVm,
		chains: async (vm: string | undefined): Promise<readonly ChainView[]> =>
			(await chainViews()).filter(
				(view) => vm === undefined || view.vm.uuid === vm || view.vm.name === vm,
			),
		findChain: async (text: string): Promise<ChainView> =>
			oneOf(await chainViews(), text, "chain", (view) => `${view.vm.name} ${view.state}`),
		/** Ids of the repositories in which the view knows chains of a VM. */
		repositoriesOf: async (vm: string): Promise<readonly string[]> => {
			const own = (await chains.all()).filter((body) => body.vm.uuid === vm);
			return [...new Set(own.map((body) => body.repositoryId))];
		},
		/** Everything the view holds of one repository. */
		of: async (repository: string) => ({
			backups: (await backups.all()).filter((body) => body.repositoryId === repository),
			chains: (await chains.all()).filter((body) => body.repositoryId === repository),
		}),
		/** Takes chains and backups out of the view; the repository is not touched. */
		forget: async (ids: {
			backups: readonly string[];
			chains: readonly string[];
		}): Promise<void> => {
			await backups.remove(ids.backups);
			await chains.remove(ids.chains);
		},
	};
};
export type BackupBook = ReturnType<typeof createBackupBook>;
