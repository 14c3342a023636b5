import type { DaemonView, DiskImages, Hypervisor, InitInput, InitView, Outcome } from "@knib/core";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Benchmark } from "../benchmark/benchmark.ts";
import type { Books } from "../catalog/create-catalog.ts";
import type { BackupFiles } from "../files/backup-files.ts";
import type { BackupCare } from "../jobs/backup-care.ts";
import type { JobService } from "../jobs/job-service.ts";
import type { Peers } from "../mesh/start-peers.ts";
import type { Inventory } from "./inventory.ts";

/** What the control API needs of the daemon. */
export type ApiDeps = {
	readonly books: Books;
	readonly jobs: JobService;
	readonly care: BackupCare;
	readonly files: Pick<BackupFiles, "list" | "log">;
	readonly benchmark: Pick<Benchmark, "run" | "stop">;
	readonly hypervisor: Pick<Hypervisor, "list" | "vm" | "versions">;
	readonly images: Pick<DiskImages, "info">;
	readonly inventory: Inventory;
	readonly host: { readonly id: string; readonly name: string };
	/** Absent where the store takes part in no replication. */
	readonly peers?: Peers;
	readonly daemon: () => DaemonView;
	readonly now: () => string;
	/** Resolves when interrupted work has been taken up again; new jobs wait for it. Rejects with the reason when that failed. */
	readonly ready: Promise<void>;
	/** The audit trail; absent where none is kept. */
	readonly audit?: AuditLog;
	readonly init: (input: InitInput) => Promise<Outcome<InitView>>;
};

/** One connection's context: `user` is what the client states, noted as stated. */
export type Context = { readonly deps: ApiDeps; readonly user: string };
