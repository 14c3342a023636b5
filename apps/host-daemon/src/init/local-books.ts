import { stat } from "node:fs/promises";
import { KnibError } from "@knib/core";
import type { Books } from "../catalog/create-catalog.ts";
import type { Config } from "../config.ts";
import { type Identity, loadIdentity } from "../identity.ts";
import { hostRepositories, openBooks, openHostStore } from "../open-books.ts";
import { prepareScratchDirectory, prepareStateDirectory } from "../state-directory.ts";

/** Who this host is, and what was made to find out. */
export type LocalHost = { readonly identity: Identity; readonly made: readonly string[] };

const withStore = async <T>(
	config: Config,
	identity: Identity,
	act: (books: Books) => Promise<T>,
): Promise<T> => {
	const store = await openHostStore(config, identity, () => undefined);
	try {
		const driver = await hostRepositories(identity);
		return await act(openBooks({ config, identity, store, driver }));
	} finally {
		await store.close();
	}
};

/** Runs `act` with the catalog of a host whose daemon does not run; makes directories and key where they are missing. Rejects with STORE_LOCKED when a daemon runs after all. */
export const withLocalBooks = async <T>(
	config: Config,
	act: (books: Books, host: LocalHost) => Promise<T>,
): Promise<T> => {
	const isNew = await prepareStateDirectory(config.stateDir);
	const isScratchNew = await prepareScratchDirectory(config.scratch);
	const identity = await loadIdentity(config.stateDir, config.name);
	const made = [
		...(isNew ? [`makes the state directory ${config.stateDir}`] : []),
		...(isScratchNew ? [`makes the scratch directory ${config.scratch}`] : []),
		...(identity.created ? [`makes this host's key: its id is ${identity.id}`] : []),
	];
	return await withStore(config, identity, (books) => act(books, { identity, made }));
};

/** The same, but makes and mends nothing: rejects with NOT_FOUND before the first `init`. */
export const withExistingBooks = async <T>(
	config: Config,
	act: (books: Books) => Promise<T>,
): Promise<T> => {
	for (const path of [`${config.stateDir}/store`, `${config.stateDir}/identity.pem`]) {
		await stat(path).catch((error: unknown) => {
			throw new KnibError("NOT_FOUND", `there is no ${path}`, { cause: error });
		});
	}
	return await withStore(config, await loadIdentity(config.stateDir, config.name), act);
};
