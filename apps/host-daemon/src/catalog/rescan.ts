// Makes the view of repositories equal to what is in them (SPEC 2.10). What could not be read changes nothing (I10).
import { asKnibError, type Repository, type RescanView } from "@knib/core";
import { type ScannedVm, scanRepository } from "../repository/scan-repository.ts";
import type { BackupBook } from "./backup-book.ts";
import type { BackupBody, ChainBody } from "./bodies.ts";
import type { KnownRepository } from "./catalog.ts";
import type { RepositoryBook } from "./repository-book.ts";

type Deps = {
	readonly book: Pick<RepositoryBook, "openKnown">;
	readonly backups: Pick<BackupBook, "recordChain" | "of" | "forget">;
};

/** Rebuilds the view of repositories from their manifests. */
export type Rescan = (which: readonly KnownRepository[]) => Promise<readonly RescanView[]>;

const READ_ATTEMPTS = 3;

/** Reads a whole repository before anything of its view is changed: a repository that stops answering half-way changes nothing (I10). */
const readAll = async (repository: Repository): Promise<readonly ScannedVm[]> => {
	const found: ScannedVm[] = [];
	for await (const vm of scanRepository(repository)) found.push(vm);
	return found;
};

/** What of the view is not in the repository any more. What lies in a directory that could not be read, or in a chain with problems, is not known to be gone. */
const vanishedOf = (
	scanned: readonly ScannedVm[],
	before: { readonly backups: readonly BackupBody[]; readonly chains: readonly ChainBody[] },
) => {
	const chains = scanned.flatMap((vm) => vm.chains);
	const members = new Set(chains.flatMap((c) => c.members.map((m) => m.manifest.identity.id)));
	const living = new Set(chains.filter((c) => c.members.length > 0).map((chain) => chain.id));
	const doubtfulVms = new Set(scanned.filter((s) => s.problems.length > 0).map(({ vm }) => vm));
	const doubtful = new Set(chains.filter((c) => c.problems.length > 0).map((chain) => chain.id));
	const isSure = (vm: string, chain: string | null) =>
		!doubtfulVms.has(vm) && !(chain !== null && doubtful.has(chain));
	return {
		backups: before.backups
			.filter((body) => !members.has(body.id) && isSure(body.vm.uuid, body.chain))
			.map((body) => body.id),
		chains: before.chains
			.filter((body) => !living.has(body.id) && isSure(body.vm.uuid, body.id))
			.map((body) => body.id),
	};
};

/** Rescans repositories one after another. */
export const createRescan = (deps: Deps): Rescan => {
	const { book } = deps;

	/** What the view held and what the repository holds, from a time in which no job changed the view: else a backup published meanwhile would seem to have vanished. */
	const readUndisturbed = async (known: KnownRepository) => {
		const repository = await book.openKnown(known);
		const look = async () => deps.backups.of(known.id);
		const members = (view: Awaited<ReturnType<typeof look>>) =>
			JSON.stringify(view.chains.map((chain) => [chain.id, chain.backups]));
		for (let attempt = 1; ; attempt++) {
			const before = await look();
			const scanned = await readAll(repository);
			const same = members(before) === members(await look());
			if (same || attempt === READ_ATTEMPTS) return { before, scanned };
		}
	};

	const rescanOne = async (known: KnownRepository): Promise<RescanView> => {
		const { before, scanned } = await readUndisturbed(known);
		const chains = scanned.flatMap((vm) => vm.chains);
		const gone = vanishedOf(scanned, before);
		for (const chain of chains) await deps.backups.recordChain(known, chain);
		await deps.backups.forget(gone);
		return {
			repository: known.name,
			chains: chains.length,
			backups: chains.reduce((count, chain) => count + chain.members.length, 0),
			vanished: gone.backups,
			problems: [
				...scanned.flatMap((vm) => vm.problems),
				...chains.flatMap((chain) => chain.problems),
			],
			error: null,
		};
	};

	/** A repository that cannot be read is reported and its view stays as it is. */
	return async (which) => {
		const found: RescanView[] = [];
		for (const known of which) {
			try {
				found.push(await rescanOne(known));
			} catch (error) {
				const { code, message } = asKnibError(error);
				const empty = { chains: 0, backups: 0, vanished: [], problems: [] };
				found.push({ repository: known.name, ...empty, error: { code, message } });
			}
		}
		return found;
	};
};
