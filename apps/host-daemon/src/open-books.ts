import type { Store } from "@knib/core";
import { createSigner, openRxStore, type RxStore } from "@knib/sync";
import type { AlertListener } from "./catalog/alert-book.ts";
import { catalogDocuments, createCatalog } from "./catalog/create-catalog.ts";
import type { RepositoryDriver } from "./catalog/repository-book.ts";
import type { Config } from "./config.ts";
import type { Identity } from "./identity.ts";
import { qemuUser } from "./qemu-user.ts";
import { createRepositoryDriver } from "./repository/driver.ts";
import { systemClock } from "./system-clock.ts";
import { systemIds } from "./system-ids.ts";

/** Opens this host's store; its lock keeps a second process out and does not outlive this one. Rejects with STORE_*. `onFatal` is called once when nothing can be written any more. */
export const openHostStore = (
	config: Config,
	identity: Identity,
	onFatal: (error: unknown) => void,
): Promise<RxStore> =>
	openRxStore({
		dir: `${config.stateDir}/store`,
		owner: identity.id,
		sign: createSigner(identity.key),
		onFatal,
	});

/** Repositories on this host's file systems. */
export const hostRepositories = async (identity: Identity): Promise<RepositoryDriver> =>
	createRepositoryDriver({
		clock: systemClock,
		ids: systemIds,
		hostId: identity.id,
		qemuGroup: (await qemuUser())?.gid,
	});

/** The catalog of this host over its store. */
export const openBooks = (parts: {
	readonly config: Config;
	readonly identity: Identity;
	readonly store: Store;
	readonly driver: RepositoryDriver;
	readonly onAlert?: AlertListener;
}) =>
	createCatalog({
		documents: catalogDocuments(parts.store),
		driver: parts.driver,
		host: { id: parts.identity.id, name: parts.identity.name },
		configured: { "host.scratch.directory": parts.config.scratch },
		now: () => systemClock.now(),
		uuid: () => systemIds.uuid(),
		onAlert: parts.onAlert,
	});
