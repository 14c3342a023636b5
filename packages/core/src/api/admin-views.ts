// Views of what is not a VM, backup, chain or job; see views.ts.
import type { Offering } from "../domain/offering.ts";
import type { KeyView } from "./peer-views.ts";
import type { PlanView } from "./views.ts";

export type OfferingView = Offering & {
	/** Number of VMs assigned to it. */
	readonly vms: number;
	/** VMs without an assignment are backed up under this one. */
	readonly default: boolean;
};

export type HostView = {
	readonly id: string;
	readonly name: string;
	/** This host is the one that answers. */
	readonly self: boolean;
	readonly state: "online" | "degraded" | "unreachable";
	/** What is wrong, in words. */
	readonly problems: readonly string[];
	readonly seenAt: string;
	readonly startedAt: string | null;
	readonly version: string;
	readonly libvirt: string | null;
	readonly qemu: string | null;
	readonly scratchDirectory: string;
	readonly vms: number | null;
	/** Null on a host that takes part in no replication. */
	readonly key: KeyView | null;
};

export type DaemonView = {
	readonly host: { readonly id: string; readonly name: string };
	readonly version: string;
	readonly pid: number;
	readonly startedAt: string;
	readonly stateDir: string;
	readonly socket: string;
	/** False while interrupted work is still being taken up again; new jobs wait for it. */
	readonly ready: boolean;
};

/** The answer of a command that changes something: what it did, or with `dryRun` what it would do. */
export type Outcome<T> =
	| { readonly done: true; readonly result: T }
	| { readonly done: false; readonly plan: PlanView };

/** What a rescan of one repository found. */
export type RescanView = {
	readonly repository: string;
	readonly chains: number;
	readonly backups: number;
	/** Ids of backups whose view was removed, since the repository holds them no more. */
	readonly vanished: readonly string[];
	/** Manifests and links that could not be trusted, in words. */
	readonly problems: readonly string[];
	readonly error: { readonly code: string; readonly message: string } | null;
};

/** What `init` found or made. */
export type InitView = {
	readonly host: { readonly id: string; readonly name: string };
	readonly config: string;
	readonly stateDir: string;
	readonly socket: string;
	readonly repositories: readonly string[];
	readonly offering: string;
	/** What was made just now, in words; empty when all was there. */
	readonly made: readonly string[];
};

/** One finding of `doctor`. */
export type CheckView = {
	readonly name: string;
	readonly state: "ok" | "warning" | "failure";
	readonly message: string;
	/** The command or act that mends it. */
	readonly fix: string | null;
};
