// The catalog put together: one book a subject over the documents of the store.
import {
	type Offering,
	offeringSchema,
	type Schedule,
	SELECTOR_PREFIX,
	type Selector,
	type SettingName,
	type Store,
	scheduleSchema,
	selectorSchema,
} from "@knib/core";
import {
	type AlertBody,
	type AlertListener,
	alertBodySchema,
	createAlertBook,
} from "./alert-book.ts";
import { createBackupBook } from "./backup-book.ts";
import {
	type BackupBody,
	backupBodySchema,
	type ChainBody,
	chainBodySchema,
	type HostBody,
	hostBodySchema,
	type RepositoryBody,
	repositoryBodySchema,
	type SettingsBody,
	settingsBodySchema,
	type VmBody,
	vmBodySchema,
} from "./bodies.ts";
import type { Catalog } from "./catalog.ts";
import { createTurnstile } from "./change.ts";
import { type Documents, storeDocuments } from "./documents.ts";
import { createOfferingBook } from "./offering-book.ts";
import { createRepositoryBook, type RepositoryDriver } from "./repository-book.ts";
import { createRepositoryChanges } from "./repository-changes.ts";
import { createRepositoryChoices } from "./repository-choices.ts";
import { createRescan } from "./rescan.ts";
import { createScheduleBook } from "./schedule-book.ts";
import { createSelectorBook } from "./selector-book.ts";
import { createSettingBook } from "./setting-book.ts";
import { createVmBook } from "./vm-book.ts";

/** The documents that the catalog is kept in. */
export type CatalogDocuments = {
	readonly offerings: Documents<Offering>;
	readonly schedules: Documents<Schedule>;
	readonly vms: Documents<VmBody>;
	readonly settings: Documents<SettingsBody>;
	readonly repositories: Documents<RepositoryBody>;
	readonly selectors: Documents<Selector>;
	readonly hosts: Documents<HostBody>;
	readonly chains: Documents<ChainBody>;
	readonly backups: Documents<BackupBody>;
	readonly alerts: Documents<AlertBody>;
};

/** The catalog's documents in a store. */
export const catalogDocuments = (store: Store): CatalogDocuments => ({
	offerings: storeDocuments(store, "offering", offeringSchema),
	schedules: storeDocuments(store, "schedule", scheduleSchema),
	vms: storeDocuments(store, "vm", vmBodySchema),
	settings: storeDocuments(store, "setting", settingsBodySchema),
	repositories: storeDocuments(store, "repository", repositoryBodySchema, {
		prefix: SELECTOR_PREFIX,
		own: false,
	}),
	selectors: storeDocuments(store, "repository", selectorSchema, {
		prefix: SELECTOR_PREFIX,
		own: true,
	}),
	hosts: storeDocuments(store, "host", hostBodySchema),
	chains: storeDocuments(store, "chain", chainBodySchema),
	backups: storeDocuments(store, "backup", backupBodySchema),
	alerts: storeDocuments(store, "alert", alertBodySchema),
});

type Deps = {
	readonly documents: CatalogDocuments;
	readonly driver: RepositoryDriver;
	readonly host: { readonly id: string; readonly name: string };
	readonly configured: Readonly<Partial<Record<SettingName, string>>>;
	readonly now: () => string;
	readonly uuid: () => string;
	readonly onAlert?: AlertListener | undefined;
};

/** Books for the control API, and `catalog`, the narrow view that jobs work with. */
export const createCatalog = (deps: Deps) => {
	const { documents, host, driver, now, uuid } = deps;
	const settings = createSettingBook({
		settings: documents.settings,
		host,
		configured: deps.configured,
	});
	const backups = createBackupBook({
		backups: documents.backups,
		chains: documents.chains,
		repositories: () => repositories.known(),
		host,
	});
	const repositories = createRepositoryBook({
		repositories: documents.repositories,
		hosts: documents.hosts,
		driver,
		backups,
		host,
	});
	const rescan = createRescan({ book: repositories, backups });
	const repositoryChanges = createRepositoryChanges({
		repositories: documents.repositories,
		hosts: documents.hosts,
		offerings: documents.offerings,
		selectors: documents.selectors,
		driver,
		book: repositories,
		backups,
		rescan,
		host,
		now,
	});
	const offerings = createOfferingBook({
		offerings: documents.offerings,
		vms: documents.vms,
		repositoryId: async (text) => (await repositories.find(text)).id,
		now,
		uuid,
	});
	const choices = createRepositoryChoices({
		repositories,
		selectors: documents.selectors,
		host,
		minimumFree: () => settings.value("backup.repository.minimum.free", {}),
	});
	const selectors = createSelectorBook({
		selectors: documents.selectors,
		repositories,
		offerings,
		now,
		uuid,
	});
	const schedules = createScheduleBook({ schedules: documents.schedules, host, now, uuid });
	const vms = createVmBook({ vms: documents.vms, offerings });
	const alerts = createAlertBook({
		alerts: documents.alerts,
		host,
		now,
		onChange: deps.onAlert,
	});
	const catalog: Catalog = {
		policyOf: async (vm) => (await vms.record(vm)).policy,
		promise: vms.promise,
		unableToValidate: backups.unableToValidate,
		alert: alerts.set,
		offeringOf: vms.offeringOf,
		excludedDisks: vms.excludedDisks,
		setting: (name, scope) => settings.value(name, scope),
		repositories: repositories.known,
		open: repositories.open,
		choose: choices.choose,
		repositoriesOf: backups.repositoriesOf,
		recordChain: backups.recordChain,
		recordFailed: backups.recordFailed,
		backup: backups.get,
		findBackup: backups.find,
		findChain: backups.findChain,
		noteVm: vms.note,
	};
	return {
		catalog,
		offerings,
		schedules,
		selectors,
		choices,
		vms,
		settings,
		repositories,
		repositoryChanges,
		rescan,
		backups,
		alerts,
		turnstile: createTurnstile(),
	};
};
export type Books = ReturnType<typeof createCatalog>;
