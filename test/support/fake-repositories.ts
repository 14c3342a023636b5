import { type Chain, KnibError, type Repository } from "@knib/core";
import type { RepositoryDriver } from "../../apps/host-daemon/src/catalog/repository-book.ts";

/** What the catalog sees of one directory. A test changes the fields to change the world. */
export type FakeDirectory = {
	id: string;
	chains: Chain[];
	free: number;
	writable: boolean;
	/** Runs after chains were read and before they are handed over. */
	onRead: (() => Promise<void>) | null;
	/** What the next reading of chains finds. */
	nextChains: Chain[] | null;
	/** Set: every reading of it fails with this. */
	broken: KnibError | null;
};

/** A backup that showed a screen; `directory` holds `validation/shown/screenshot.png`. */
const withScreen = (id: string, directory: string): unknown => ({
	path: directory,
	manifest: { identity: { id } },
	marks: {
		validation: { last: { at: "2026-01-02T03:04:05.000Z", name: "shown", screenshot: true } },
	},
});

/** Repositories as directories in memory. Only what the catalog asks of a repository is there. `screens`: directory of the screen that every backup showed. */
export const fakeRepositories = (screens?: string) => {
	const directories = new Map<string, FakeDirectory>();
	let made = 0;
	const readable = (directory: FakeDirectory): FakeDirectory => {
		if (directory.broken !== null) throw directory.broken;
		return directory;
	};
	const repositoryAt = (path: string): Repository => {
		const directory = directories.get(path);
		if (directory === undefined) {
			throw new KnibError("REPOSITORY_UNREACHABLE", `${path} is not there`);
		}
		const { id } = readable(directory);
		const repository = {
			id,
			name: path,
			path,
			state: async () => {
				const { free, writable } = readable(directory);
				return { id, path, capacity: 1000, free, writable };
			},
			find: async (id: string) => (screens === undefined ? undefined : withScreen(id, screens)),
			vms: async () => [...new Set(readable(directory).chains.map((chain) => chain.vm))],
			chains: async (vm: string) => {
				directory.chains = directory.nextChains ?? directory.chains;
				const found = readable(directory).chains.filter((chain) => chain.vm === vm);
				await directory.onRead?.();
				return found;
			},
		};
		return repository as unknown as Repository;
	};
	const add = (path: string): FakeDirectory => {
		made += 1;
		const id = `0196f000-0000-7000-8000-00000000a${String(made).padStart(3, "0")}`;
		const directory: FakeDirectory = {
			id,
			chains: [],
			free: 500,
			writable: true,
			broken: null,
			onRead: null,
			nextChains: null,
		};
		directories.set(path, directory);
		return directory;
	};
	const driver: RepositoryDriver = {
		open: async (path) => repositoryAt(path),
		openOrCreate: async (path) => {
			const created = !directories.has(path);
			if (created) add(path);
			return { repository: repositoryAt(path), created };
		},
		inspect: async (path) => (directories.has(path) ? "repository" : "empty"),
	};
	return { driver, add, at: (path: string) => directories.get(path) };
};
export type FakeRepositories = ReturnType<typeof fakeRepositories>;
