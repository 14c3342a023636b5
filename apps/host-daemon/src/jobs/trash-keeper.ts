// Empties the trash of this host's repositories: an entry goes when its grace has passed as the daemon has seen time pass, and nothing
// goes while the clock is not believable (SAFETY F16). What it has seen is kept in the state directory.
import { asKnibError, type Clock, type Repository, settingMilliseconds } from "@knib/core";
import type { Catalog } from "../catalog/catalog.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { openTimeLedger } from "./time-ledger.ts";

/** The longest time between two looks, ms. */
const LOOK_MS = 60_000;
const SHORTEST_LOOK_MS = 500;

type Options = {
	readonly catalog: Pick<Catalog, "repositories" | "open" | "setting">;
	readonly clock: Clock;
	readonly stateDir: string;
	/** When the newest backup that the view knows was made; null when there is none. */
	readonly newestBackupAt: () => Promise<string | null>;
	/** Raises the alert about the clock, or takes it back with null. */
	readonly alert: (text: string | null) => Promise<void>;
	readonly onProblem: (error: unknown) => void;
};

type Found = {
	readonly repositories: ReadonlyMap<string, Repository>;
	readonly entries: readonly string[];
	readonly unreadable: readonly string[];
};

const readAll = async ({ catalog, onProblem }: Options): Promise<Found> => {
	const repositories = new Map<string, Repository>();
	const entries: string[] = [];
	const unreadable: string[] = [];
	for (const { id } of await catalog.repositories()) {
		try {
			const repository = await catalog.open(id);
			for (const entry of await repository.trash()) entries.push(`${id}/${entry.name}`);
			repositories.set(id, repository);
		} catch (thrown) {
			unreadable.push(id);
			if (asKnibError(thrown).code !== "REPOSITORY_UNREACHABLE") onProblem(thrown);
		}
	}
	return { repositories, entries, unreadable };
};

export const createTrashKeeper = (options: Options): Keeper => {
	const { catalog, clock, stateDir, onProblem } = options;
	const ledger = openTimeLedger(`${stateDir}/trash-ledger.json`, clock);

	const graceMs = async (): Promise<number> => {
		const name = "backup.trash.grace";
		return settingMilliseconds(name, await catalog.setting(name, {}));
	};

	const purge = async (found: Found, entry: string): Promise<void> => {
		const slash = entry.indexOf("/");
		try {
			await found.repositories.get(entry.slice(0, slash))?.purge(entry.slice(slash + 1));
		} catch (thrown) {
			onProblem(thrown);
		}
	};

	const look = async (): Promise<void> => {
		const found = await readAll(options);
		const newest = await options.newestBackupAt();
		const verdict = await ledger.look({
			newestManifestMs: newest === null ? null : Date.parse(newest),
			graceMs: await graceMs(),
			entries: found.entries,
			unreadable: found.unreadable,
		});
		await options.alert(verdict.doubt === null ? null : `nothing is deleted: ${verdict.doubt}`);
		for (const entry of verdict.purge) await purge(found, entry);
	};

	const waitMs = async (): Promise<number> => {
		const grace = await graceMs().catch(() => LOOK_MS);
		return Math.min(LOOK_MS, Math.max(SHORTEST_LOOK_MS, grace / 4));
	};

	return createKeeper({ clock, look, waitMs, onProblem });
};
