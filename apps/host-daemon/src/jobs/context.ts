import type {
	Activity,
	Clock,
	DiskImages,
	Hypervisor,
	IdSource,
	JobLogLine,
	Lease,
	Outcomes,
	Plan,
	Progress,
	Repository,
	Step,
	StepKind,
} from "@knib/core";
import type { Catalog } from "../catalog/catalog.ts";
import type { StartAppliance } from "../files/launch.ts";
import type { OverlayIndex } from "../hook/overlay-index.ts";
import type { ValidationMachine } from "../hypervisor/host-capabilities.ts";

/** This host, as manifests and leases name it. */
export type ThisHost = { readonly id: string; readonly name: string };

/** A process that thaws a guest by itself. */
export type ThawWatchdog = {
	/** It had to thaw: the freeze lasted too long. */
	readonly fired: () => boolean;
	/** The guest is thawed; the process ends. */
	readonly done: () => void;
};

/** What jobs need of the daemon. */
export type JobDeps = {
	readonly hypervisor: Hypervisor;
	readonly images: DiskImages;
	readonly catalog: Catalog;
	readonly clock: Clock;
	readonly ids: IdSource;
	readonly host: ThisHost;
	/** Version of knib, for manifests. */
	readonly version: string;
	/** Starts a process of its own that thaws the guest when the daemon does not say in time that it has (SAFETY F19). */
	readonly thawWatchdog: (vm: string, maximumMs: number) => Promise<ThawWatchdog>;
	/** Takes on a retired file, to be unlinked after its grace period. */
	readonly retired: (path: string) => void;
	/** Directory for overlays of block devices and throw-away files. */
	readonly scratch: string;
	/** What lies below the overlays of this host's VMs, for libvirt's hook. */
	readonly overlayIndex: OverlayIndex;
	/** What the executing jobs of this host do; absent where there is no queue. */
	readonly activities?: () => readonly Activity[];
	/** What this host can do for throw-away VMs. */
	readonly machine: ValidationMachine;
	/** Starts an appliance that reads file systems. */
	readonly startAppliance: StartAppliance;
	/** Closes the disks of a chain that are only kept open for further questions about their files; absent where none are. */
	readonly releaseFiles?: (chain: string) => Promise<void>;
};

/** What an executor sees of its job: its plan, what earlier steps found out, and a way to report. */
export type StepContext = {
	readonly job: string;
	readonly plan: Plan;
	readonly outcomes: Outcomes;
	/** The step was begun before, in an earlier life of the daemon. */
	readonly repeated: boolean;
	readonly signal: AbortSignal;
	/** The plan's repository, opened when first asked for: going back does not need it to answer. */
	readonly repository: () => Promise<Repository>;
	/** The VM's lease in the repository; taken when this life of the daemon does not hold it yet (I6). */
	readonly lease: () => Promise<Lease>;
	/** Runs `work` while no other job of this host changes the VM or its chains; at once for a job that has the VM's lane. */
	readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>;
	readonly progress: (done: number, total: number, unit: Progress["unit"]) => void;
	readonly log: (level: JobLogLine["level"], text: string) => void;
	readonly deps: JobDeps;
};

/** The step of a kind. */
export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>;

/** How one kind of step is carried out. Both ways are repeatable: they ask what is already so, act, and verify. */
export type Executor<K extends StepKind> = {
	readonly run: (step: StepOf<K>, context: StepContext) => Promise<Outcomes>;
	/** Takes back what `run` did or had begun to do; absent where there is nothing to take back. */
	readonly undo?: (step: StepOf<K>, context: StepContext) => Promise<void>;
};
