import type { Clock, IdSource } from "@knib/core";
import type { FsHook } from "./file-guard.ts";
import type { Every, LeaseSightings } from "./lease.ts";

/** What opening a repository needs of the daemon. */
export type RepositoryDeps = {
	readonly clock: Clock;
	readonly ids: IdSource;
	/** Id of this host. */
	readonly hostId: string;
	/** Numeric id of the group that may read layers: that of qemu's user (SAFETY F11). Without it group and others see what the process's own group sees. */
	readonly qemuGroup?: number | undefined;
	/** A lease that stands still for so long may be taken by another host, ms; default LEASE_MS. */
	readonly leaseMs?: number;
	/** How leases are renewed; default a timer that does not keep the process alive. */
	readonly every?: Every;
	/** What was seen of other hosts' leases; give the same map to every opening in a process. */
	readonly sightings?: LeaseSightings;
	/** For crash tests. */
	readonly hook?: FsHook;
};

/** Which directory is opened, and the repository that is expected there. */
export type OpenOptions = RepositoryDeps & {
	readonly path: string;
	readonly expectedId?: string | undefined;
};
