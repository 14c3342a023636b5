// The facts that a validation is decided by, gathered once.
import type { BackupValidationRequest } from "../api/job-request.ts";
import type { BackupView } from "../api/views.ts";
import type { Offering } from "../domain/offering.ts";
import type { VmPolicy } from "../domain/vm-policy.ts";
import type { FoundBackup } from "./restore-facts.ts";
import type { FileOwner } from "./steps.ts";

/** The throw-away VM's definition, made from the saved one. */
export type ValidationDefinition = {
	readonly xml: string;
	/** The same without KVM, for a host whose KVM refuses the VM; null where the first has none. */
	readonly fallbackXml: string | null;
	readonly accelerator: "kvm" | "qemu";
	/** Memory that the VM takes, bytes. */
	readonly memory: number;
	/** What the source had and the throw-away VM has not, in words. */
	readonly dropped: readonly string[];
};

/** What this host can do for a throw-away VM. */
export type ValidationHost = {
	/** Bytes of memory that can be had without swapping. */
	readonly freeMemory: number;
	/** Free bytes where the overlays go. */
	readonly scratchFree: number;
	/** Owner of the throw-away VM's files: qemu's user. */
	readonly owner: FileOwner;
	/** Why the host cannot run this VM, in words: its CPU model, files that qemu's user cannot read; empty when it can. */
	readonly obstacles: readonly string[];
};

/** Values of settings and of the VM's own policy; times are milliseconds, memory is bytes. */
export type ValidationLimits = {
	readonly bootTimeout: number;
	readonly screenshotWait: number;
	readonly commandTimeout: number;
	readonly endChainOnFail: boolean;
};

export type ValidationFacts = {
	readonly request: BackupValidationRequest;
	readonly view: Pick<BackupView, "id" | "vm" | "status">;
	/** Null when the view knows it but no repository of this host holds it. */
	readonly found: FoundBackup | null;
	/** The offering that the backup was taken under: a backup is judged by it. */
	readonly steps: Offering["validationSteps"];
	readonly policy: VmPolicy;
	readonly limits: ValidationLimits;
	/** Null for a validation that starts no VM, and where none could be made; the reason is in `definitionProblem`. */
	readonly definition: ValidationDefinition | null;
	readonly definitionProblem: string | null;
	/** Null for a validation that starts no VM. */
	readonly host: ValidationHost | null;
	readonly machine: { readonly nvram: boolean; readonly tpm: boolean };
	readonly now: string;
	/** Uuid of the throw-away VM. */
	readonly uuid: string;
	/** Directory for throw-away files on this host. */
	readonly scratch: string;
	/** Directory under which libvirt keeps the state of emulated TPMs. */
	readonly tpmDirectory: string;
};

/** What all throw-away VMs' names begin with. */
export const VALIDATION_PREFIX = "knib-validate-";

/** Name of a throw-away VM, and the directory of its files. */
export const validationNames = (
	scratch: string,
	uuid: string,
): { readonly name: string; readonly directory: string } => {
	const name = `${VALIDATION_PREFIX}${uuid}`;
	return { name, directory: `${scratch}/${name}` };
};
