// What this host knows beside libvirt: its offerings, assignments, settings and repositories, kept in the store, and the view of
// chains and backups that is rebuilt from manifests. Jobs read policy from here and record results here.
import type {
	BackupView,
	Chain,
	ChainView,
	ChoiceRefusal,
	Offering,
	Repository,
	RepositoryChoice,
	RestorePromise,
	SettingName,
	SettingValue,
	VmPolicy,
} from "@knib/core";
import type { BackupAlert } from "./alert-book.ts";

/** A repository as this host has it configured. */
export type KnownRepository = {
	readonly id: string;
	readonly name: string;
	readonly path: string;
	readonly default: boolean;
};

/** A backup that never became one: kept so that the user sees the failure. */
export type FailedBackup = {
	readonly id: string;
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly createdAt: string;
	readonly reason: string;
	readonly error: { readonly code: string; readonly message: string };
	readonly status: "Failed" | "Unconfirmed";
};

/** Policy and view of this host. */
export interface Catalog {
	/** The VM's offering, or the default one. */
	offeringOf(vm: string): Promise<Offering>;
	/** Disks excluded for this VM by `vm set excludeDisks=…`. */
	excludedDisks(vm: string): Promise<readonly string[]>;
	/** The narrowest value: VM, host, (offering where the setting has one), cluster, default. */
	setting<N extends SettingName>(
		name: N,
		scope: { vm?: string; offering?: Offering },
	): Promise<SettingValue<N>>;
	repositories(): Promise<readonly KnownRepository[]>;
	/** Opens a repository by id or name; rejects with NOT_FOUND or REPOSITORY_*. */
	open(idOrName: string): Promise<Repository>;
	/** The repository of a VM's next chain, or why there is none. */
	choose(
		vm: { readonly name: string; readonly tags: readonly string[] },
		offering: Offering,
	): Promise<RepositoryChoice | ChoiceRefusal>;
	/** Ids of the repositories in which the view knows chains of this VM: one that cannot be read is not passed over. */
	repositoriesOf(vm: string): Promise<readonly string[]>;
	/** Makes the view of one chain equal to what was read from its repository. */
	recordChain(repository: KnownRepository, chain: Chain): Promise<void>;
	recordFailed(backup: FailedBackup): Promise<void>;
	/** A backup of the view by whole id. */
	backup(id: string): Promise<BackupView | undefined>;
	/** The one backup that a part of an id names; rejects with NOT_FOUND or AMBIGUOUS_ID. */
	findBackup(text: string): Promise<BackupView>;
	/** The one chain that a part of an id names; rejects with NOT_FOUND or AMBIGUOUS_ID. */
	findChain(text: string): Promise<ChainView>;
	/** What a user has set for one VM beside settings. */
	policyOf(vm: string): Promise<VmPolicy>;
	/** Keeps how fast a VM came back; null values leave the older ones. */
	promise(vm: string, measured: Partial<RestorePromise>): Promise<void>;
	/** Shows a backup as UnableToValidate until its chain is read from its repository again. */
	unableToValidate(backup: string, message: string): Promise<void>;
	/** Raises an alert about a backup, or takes it back. */
	alert(alert: BackupAlert): Promise<void>;
	/** Notes about a VM for people, such as `extra layer present`; an empty list clears them. */
	noteVm(vm: string, notes: readonly string[]): Promise<void>;
}
